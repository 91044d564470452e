use livestore::prelude::*;

use std::time::Duration;

#[derive(ColumnType)]
struct Estimate(Duration);

fn main() {}
