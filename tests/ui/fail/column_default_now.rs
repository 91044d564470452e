// 2 mistakes
use livestore::prelude::*;

#[table]
struct Todo {
    #[column(primary_key, default = livestore::new_id())]
    id: String,
    #[column(default = now())]
    created_at: Timestamp,
}

fn main() {}
