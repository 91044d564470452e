use livestore::prelude::*;

#[derive(ColumnType)]
enum Status {
    Open,
    #[column_type(rename = "Open")]
    Reopened,
}

fn main() {}
