use livestore::prelude::*;

#[table]
struct Todo {
    #[column(primry_key)]
    id: String,
}

fn main() {}
