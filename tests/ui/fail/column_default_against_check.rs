// 4 mistakes
use livestore::prelude::*;

#[table(check = "low < high", check = "ratio > 0 OR name = ''")]
struct Range {
    #[column(primary_key)]
    id: String,
    #[column(default = 10)]
    low: i64,
    #[column(default = 5)]
    high: i64,
    #[column(default = -1, check = "depth >= 0")]
    depth: i8,
    #[column(default = "", check = "length(name) > 0")]
    name: String,
    #[column(default = 0.0, check = "ratio > 0")]
    ratio: f64,
    // These hold.
    #[column(default = "7", check = "digit < 8")]
    digit: String,
    #[column(default = false, check = "done IN (0, 1)")]
    done: bool,
    #[column(default = 3, check = "size > 2 AND id <> ''")]
    size: u8,
}

fn main() {}
