// 2 mistakes
use livestore::prelude::*;

#[table]
struct Todo {
    #[column(primary_key)]
    id: String,
    #[column(default = std::process::id())]
    priority: u32,
    #[column(default = Json(vec![std::process::id()]))]
    list: Json<Vec<u32>>,
}

fn main() {}
