use livestore::prelude::*;

#[table]
struct Todo {
    #[column(primary_key)]
    id: String,
    #[column(search)]
    text: Option<String>,
    #[column(search)]
    number: u32,
}

fn main() {}
