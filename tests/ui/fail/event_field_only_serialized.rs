use livestore::prelude::*;

#[derive(Serialize)]
struct Priority(u8);

#[derive(Event)]
#[event(name = "v1.TodoCreated")]
struct TodoCreated {
    priority: Priority,
}

fn main() {}
