use livestore::prelude::*;

#[derive(Event)]
#[serde(rename_all = "camel_case")]
enum TodoEvent {
    #[event(name = "v1.TodoCreated")]
    Created { created_at: Timestamp },
}

fn main() {}
