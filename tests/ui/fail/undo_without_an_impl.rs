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

impl Materialize for TodoCreated {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        state.insert(&Todo { id: self.id.clone() })
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
