use livestore::prelude::*;

#[derive(Row)]
struct Longest(i64);

fn main() {}
