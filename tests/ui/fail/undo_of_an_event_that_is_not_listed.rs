use livestore::prelude::*;

#[table]
struct Todo {
    #[column(primary_key)]
    id: String,
}

#[derive(Event)]
#[event(name = "v1.TodoCreated")]
struct TodoCreated {
    id: String,
}

#[derive(Event)]
#[event(name = "v1.TodoDeleted")]
struct TodoDeleted {
    id: String,
}

impl Materialize for TodoCreated {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        state.insert(&Todo { id: self.id.clone() })
    }
}

impl Materialize for TodoDeleted {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        state.run(Todo::delete().filter(Todo::ID.eq(&self.id)))
    }
}

impl Undo for TodoCreated {
    type Events = TodoDeleted;

    fn undo(&self, _: &Reader<'_>) -> Result<TodoDeleted, QueryError> {
        Ok(TodoDeleted { id: self.id.clone() })
    }
}

schema! {
    pub App {
        tables: [Todo],
        events: [TodoCreated],
        undo: [TodoCreated],
    }
}

fn main() {}
