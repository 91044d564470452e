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

fn main() {
    let _ = Todo::filter(Todo::ID.in_([1, 2, 3]));
}
