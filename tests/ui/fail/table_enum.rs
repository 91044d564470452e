use livestore::prelude::*;

#[table]
enum Todo {
    Open,
    Done,
}

fn main() {}
