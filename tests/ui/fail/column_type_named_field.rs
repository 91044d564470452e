use livestore::prelude::*;

#[derive(ColumnType)]
struct TodoId {
    id: String,
}

fn main() {}
