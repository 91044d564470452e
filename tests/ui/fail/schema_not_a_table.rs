use livestore::prelude::*;

struct Todo {
    id: String,
}

schema! {
    pub App {
        tables: [Todo],
    }
}

fn main() {}
