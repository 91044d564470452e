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
    let _ = Todo::filter(Todo::DONE.eq("yes"));
}
