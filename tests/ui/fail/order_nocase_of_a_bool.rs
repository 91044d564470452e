use livestore::prelude::*;

#[table]
struct Todo {
    #[column(primary_key)]
    id: String,
    text: String,
    done: bool,
}

fn main() {
    let _ = Todo::all().order_by(Todo::DONE.nocase());
}
