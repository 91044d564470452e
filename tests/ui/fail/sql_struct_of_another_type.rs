use livestore::prelude::*;

#[table]
#[derive(Debug, Clone, PartialEq)]
struct Todo {
    #[column(primary_key)]
    id: String,
    text: String,
    done: bool,
    owner: Option<String>,
    due: Option<Timestamp>,
}

livestore::schema! { App { tables: [Todo] } }

#[derive(Debug)]
struct Line {
    id: String,
    done: bool,
}

fn main() {
    let _ = sql!(App as Line, "SELECT id, text AS done FROM todo");
}
