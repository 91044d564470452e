use livestore::prelude::*;

#[derive(Event)]
enum TodoEvent {
    #[event(name = "v1.TodoCreated")]
    Created {
        #[serde(flatten)]
        args: Json<Vec<String>>,
    },
}

fn main() {}
