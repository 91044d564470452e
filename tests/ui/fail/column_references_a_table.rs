// 2 mistakes
use livestore::prelude::*;

#[table]
struct User {
    #[column(primary_key)]
    id: String,
}

#[table]
struct Todo {
    #[column(primary_key)]
    id: String,
    #[column(references = User)]
    owner: String,
    #[column(references = "user.id", on_delete = cascade)]
    author: String,
}

fn main() {}
