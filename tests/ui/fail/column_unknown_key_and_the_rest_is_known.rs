use livestore::prelude::*;

#[table]
#[derive(Debug, Clone, PartialEq)]
struct Todo {
    #[column(primary_key)]
    id: String,
    #[column(defualt = false)]
    done: bool,
    text: Option<String>,
}

livestore::schema! { App { tables: [Todo] } }

fn main() -> livestore::Result<()> {
    let store = Store::<App>::builder("todos").open()?;
    let open = Todo::filter(Todo::DONE.eq(false)).order_by(Todo::TEXT.asc()).limit(10);
    let todos: Vec<Todo> = store.query(open)?;
    let _: Option<(String, bool)> = todos.into_iter().next().map(|todo| (todo.id, todo.done));
    let _ = store.query(Todo::get("a"))?;
    Ok(())
}
