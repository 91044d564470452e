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

#[table(name = "Todo")]
struct OldTodo {
    #[column(primary_key)]
    id: String,
}

schema! {
    pub App {
        tables: [Todo, OldTodo],
    }
}

fn main() {}
