use livestore::prelude::*;

#[derive(Event)]
enum TodoEvent {
    #[event(name = "v1.TodoCreated")]
    Created { id: String },
    #[event(name = "v1.TodoCreated")]
    Completed { id: String },
}

fn main() {}
