use livestore::prelude::*;

#[derive(Event)]
#[event(name = "v1.TodoCreated")]
struct TodoCreated {
    id: String,
}

impl Materialize for TodoCreated {
    fn materialize(&self, _: &mut Writer<'_>) -> Result<(), MaterializeError> {
        Ok(())
    }
}

schema! {
    pub App {
        events: [],
    }
}

fn create(store: &Store<App>) -> Result<(), CommitError> {
    store.commit(TodoCreated { id: new_id() })?;
    Ok(())
}

fn main() {}
