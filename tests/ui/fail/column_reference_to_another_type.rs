use livestore::prelude::*;

#[table]
struct User {
    #[column(primary_key)]
    id: String,
    age: u8,
}

#[table]
struct Todo {
    #[column(primary_key)]
    id: String,
    #[column(references = User::ID)]
    owner: i64,
}

fn main() {}
