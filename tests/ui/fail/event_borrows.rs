use livestore::prelude::*;

#[derive(Event)]
enum TodoEvent<'a> {
    #[event(name = "v1.TodoCreated")]
    Created { id: &'a str },
}

fn main() {}
