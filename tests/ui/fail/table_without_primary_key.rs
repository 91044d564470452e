use livestore::prelude::*;

#[table]
struct Todo {
    id: String,
}

fn main() {}
