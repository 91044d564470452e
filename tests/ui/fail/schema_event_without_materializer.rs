use livestore::prelude::*;

#[derive(Event)]
#[event(name = "v1.TodoCreated")]
struct TodoCreated {
    id: String,
}

schema! {
    pub App {
        events: [TodoCreated],
    }
}

fn main() {}
