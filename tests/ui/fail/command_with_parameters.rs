use livestore::prelude::*;

#[derive(Command, Serialize, Deserialize)]
struct Assign<T> {
    seat: T,
}

fn main() {}
