use livestore::prelude::*;

#[derive(Event)]
enum TodoEvent {
    #[event(name = "v1.TodoCreated")]
    Created(String, Timestamp),
}

fn main() {}
