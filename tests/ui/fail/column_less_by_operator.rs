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

fn main() {
    let _ = Issue::PRIORITY < 1;
}
