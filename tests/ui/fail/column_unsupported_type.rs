use livestore::prelude::*;

use std::time::Duration;

#[table]
struct Todo {
    #[column(primary_key)]
    id: String,
    estimate: Duration,
}

fn main() {}
