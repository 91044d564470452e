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
    #[column(references = User::ID)]
    owner: String,
}

livestore::schema! { App { tables: [Todo] } }

fn main() {}
