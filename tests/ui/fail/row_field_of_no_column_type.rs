use livestore::prelude::*;

use std::time::Duration;

#[derive(Row)]
struct Longest {
    length: Duration,
}

fn main() {}
