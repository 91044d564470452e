// 2 mistakes
use livestore::prelude::*;

#[table]
struct Todo {
    #[column(primary_key)]
    id: String,
    due: Option<Option<Timestamp>>,
}

#[client_document]
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Ui {
    selected: std::option::Option<Option<String>>,
}

fn main() {}
