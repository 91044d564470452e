use livestore::prelude::*;

#[derive(Event)]
enum TodoEvent {
    #[event(name = "v1.TodoMoved")]
    Moved {
        from: String,
        #[serde(rename = "from")]
        to: String,
    },
}

fn main() {}
