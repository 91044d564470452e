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

fn main() {
    let store = Store::<App>::builder("todos").open().unwrap();
    let _ = store.query(sql!(App, "DELETE FROM todo"));
}
