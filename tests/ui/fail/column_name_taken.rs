use livestore::prelude::*;

#[table]
struct Todo {
    #[column(primary_key)]
    id: String,
    #[column(name = "ID")]
    number: i64,
}

fn main() {}
