use livestore::prelude::*;

#[table]
#[derive(Debug, Clone, PartialEq)]
struct Todo {
    #[column(primary_key)]
    id: String,
    text: String,
    #[column(default = false)]
    done: bool,
    owner: Option<String>,
}

livestore::schema! { App { tables: [Todo] } }

fn main() {
    let _ = sql!(App, "INSERT INTO todo (id, owner) VALUES (?, ?)", "a", "Ada");
}
