use livestore::prelude::*;

fn lowest() -> u32 {
    9
}

#[table]
struct Todo {
    #[column(primary_key)]
    id: String,
    #[column(default = lowest())]
    priority: u32,
}

fn main() {}
