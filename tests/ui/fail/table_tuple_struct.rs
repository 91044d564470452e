use livestore::prelude::*;

#[table]
struct Todo(String);

fn main() {}
