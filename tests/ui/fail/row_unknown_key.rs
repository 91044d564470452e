use livestore::prelude::*;

#[derive(Row)]
struct Longest {
    #[row(nmae = "length(text)")]
    length: i64,
}

fn main() {}
