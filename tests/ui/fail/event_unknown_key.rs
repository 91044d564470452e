use livestore::prelude::*;

#[derive(Event)]
enum TodoEvent {
    #[event(name = "v1.TodoSelected", client_onyl)]
    Selected { id: String },
}

fn main() {}
