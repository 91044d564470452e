use livestore::prelude::*;

#[table]
struct Todo {
    #[column(primary_key)]
    id: String,
    #[column(default = "no")]
    done: bool,
}

fn main() {}
