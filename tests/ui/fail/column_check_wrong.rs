// 8 mistakes
use livestore::prelude::*;

#[table(check = "nmae <> ''", check = "(SELECT count(*) FROM todo) < 10")]
struct Todo {
    #[column(primary_key)]
    id: String,
    #[column(check = "length(name) > random()")]
    name: String,
    #[column(check = "day <= date('now')")]
    day: String,
    #[column(check = "\"\"\"day\"\" <> ''\"")]
    quoted: String,
    #[column(check = "size > ?")]
    size: u8,
    #[column(check = "depth >")]
    depth: u8,
    #[column(check = "a), (b")]
    a: u8,
}

fn main() {}
