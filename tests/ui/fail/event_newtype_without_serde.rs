use livestore::prelude::*;

struct Created {
    id: String,
}

#[derive(Event)]
enum TodoEvent {
    #[event(name = "v1.TodoCreated")]
    Created(Created),
}

fn main() {}
