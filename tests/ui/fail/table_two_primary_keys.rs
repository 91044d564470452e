use livestore::prelude::*;

#[table(primary_key(list, position))]
struct Item {
    #[column(primary_key)]
    id: String,
    list: String,
    position: i64,
}

fn main() {}
