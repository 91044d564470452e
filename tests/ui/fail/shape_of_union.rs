use livestore::prelude::*;

#[derive(Shape)]
union Kind {
    work: u8,
    home: bool,
}

fn main() {}
