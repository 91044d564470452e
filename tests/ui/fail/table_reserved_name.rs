use livestore::prelude::*;

#[table(name = "sqlite_todos")]
struct Todo {
    #[column(primary_key)]
    id: String,
}

fn main() {}
