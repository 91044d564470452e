use livestore::prelude::*;

#[table]
struct Todo {
    #[column(primary_key)]
    id: String,
    #[column(name = "_ROWID_")]
    number: i64,
}

fn main() {}
