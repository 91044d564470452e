use livestore::prelude::*;

#[table]
struct Todo {
    #[column(primary_key)]
    id: Option<String>,
}

fn main() {}
