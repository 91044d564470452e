use livestore::prelude::*;

#[table]
#[derive(Debug, Clone, PartialEq)]
struct Todo {
    #[column(primary_key)]
    id: String,
    text: String,
}

#[derive(Row, Debug)]
struct Line {
    #[row(nmae = "text")]
    text: String,
}

livestore::schema! { App { tables: [Todo] } }

fn main() -> livestore::Result<()> {
    let store = Store::<App>::builder("todos").open()?;
    let lines = store.query(raw::<Line>("SELECT text FROM todo", ()))?;
    let _: Option<String> = lines.into_iter().next().map(|line| line.text);
    Ok(())
}
