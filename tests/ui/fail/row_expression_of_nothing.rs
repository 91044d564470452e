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
struct Titled {
    #[row(expr = Todo::TEXT)]
    title: String,
}

fn main() {}
