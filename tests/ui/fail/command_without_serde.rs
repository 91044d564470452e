use livestore::prelude::*;

#[derive(Command)]
struct Assign {
    seat: u32,
}

fn main() {}
