use livestore::prelude::*;

#[table]
struct Todo {
    #[column(primary_key)]
    id: String,
    text: String,
    done: bool,
    owner: String,
    due: Option<Timestamp>,
}

schema! {
    pub App {
        events: [Todo],
    }
}

fn main() {}
