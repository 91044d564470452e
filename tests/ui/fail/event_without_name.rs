use livestore::prelude::*;

#[derive(Event)]
enum TodoEvent {
    Created { id: String },
}

fn main() {}
