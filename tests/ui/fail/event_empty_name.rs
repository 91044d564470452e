use livestore::prelude::*;

#[derive(Event)]
enum TodoEvent {
    #[event(name = "")]
    Created { id: String },
}

fn main() {}
