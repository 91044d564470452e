use livestore::prelude::*;

#[table]
struct Todo {
    #[column(primary_key)]
    id: String,
    text: String,
    done: bool,
    owner: String,
    due: Option<Timestamp>,
}
#[table]
struct User {
    #[column(primary_key)]
    id: String,
    age: u8,
}

#[derive(Row)]
#[row(from = (Todo, Maybe<User>))]
struct Owned {
    id: String,
    #[row(expr = User::AGE)]
    age: u8,
}

fn main() {}
