use livestore::prelude::*;

#[table(index(done, creatd_at))]
struct Todo {
    #[column(primary_key)]
    id: String,
    done: bool,
    created_at: Timestamp,
}

fn main() {}
