use livestore::prelude::*;

#[table]
struct Todo {
    #[column(primary_key)]
    id: String,
    #[column(search = "trigram")]
    text: String,
}

fn main() {
    let _ = Todo::filter(Todo::search("milk"));
}
