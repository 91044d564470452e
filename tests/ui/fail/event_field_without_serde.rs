use livestore::prelude::*;

struct Priority;

#[derive(Event)]
enum TodoEvent {
    #[event(name = "v1.TodoCreated")]
    Created { id: String, priority: Priority },
}

fn main() {}
