use livestore::prelude::*;

#[table]
struct Issue {
    #[column(primary_key)]
    id: String,
    title: String,
    open: bool,
    priority: u8,
    status: Status,
    labels: Json<Vec<String>>,
    created_at: Timestamp,
    assignee: String,
}

#[derive(ColumnType)]
enum Status {
    Todo,
    Done,
}

#[table]
struct User {
    #[column(primary_key)]
    id: String,
    name: String,
}

#[client_document]
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Ui {
    zoom: u8,
}

livestore::schema! { App { tables: [Issue, User], documents: [Ui] } }
livestore::schema! { Other { tables: [User] } }

fn main() {
    let store = Store::<Other>::builder("other").open().unwrap();
    let _ = store.query(Issue::all().order_by(Issue::PRIORITY.desc()).limit(3));
}
