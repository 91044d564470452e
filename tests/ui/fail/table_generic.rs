use livestore::prelude::*;

#[table]
struct Todo<T> {
    #[column(primary_key)]
    id: T,
}

fn main() {}
