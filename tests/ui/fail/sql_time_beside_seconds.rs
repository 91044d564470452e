use livestore::prelude::*;

#[derive(ColumnType, Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Open,
    Done,
}

#[table]
#[derive(Debug, Clone, PartialEq)]
struct Todo {
    #[column(primary_key)]
    id: String,
    status: Status,
    level: u8,
    tags: Json<Vec<String>>,
    due: Option<Timestamp>,
}

livestore::schema! { App { tables: [Todo] } }

fn main() {
    let _ = sql!(App, "SELECT id FROM todo WHERE due < unixepoch() - 86400");
}
