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

#[derive(Row)]
#[row(from = Todo)]
struct Titled {
    id: String,
    title: String,
}

fn main() {}
