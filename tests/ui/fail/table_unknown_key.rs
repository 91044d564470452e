use livestore::prelude::*;

#[table(nmae = "todos")]
struct Todo {
    #[column(primary_key)]
    id: String,
}

fn main() {}
