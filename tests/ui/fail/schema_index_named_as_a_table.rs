use livestore::prelude::*;

#[table]
struct Todo {
    #[column(primary_key)]
    id: String,
    #[column(index = "todo_TEXT")]
    text: String,
}

#[client_document(name = "todo_text")]
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct TodoText {}

livestore::schema! { App { tables: [Todo], documents: [TodoText] } }

fn main() {}
