use livestore::prelude::*;

#[derive(ColumnType, Debug, Clone, PartialEq)]
enum Status {
    Open,
    #[column_type(rename = "Open")]
    Reopened,
}

#[table]
#[derive(Debug, Clone, PartialEq)]
struct Todo {
    #[column(primary_key)]
    id: String,
    status: Status,
}

livestore::schema! { App { tables: [Todo] } }

fn main() -> livestore::Result<()> {
    let store = Store::<App>::builder("todos").open()?;
    let _: Vec<Todo> = store.query(Todo::filter(Todo::STATUS.eq(Status::Reopened)))?;
    Ok(())
}
