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

#[derive(Event)]
#[event(name = "v1.TodoCreated")]
struct TodoAdded {
    id: String,
}

impl Materialize for TodoAdded {
    fn materialize(&self, _: &mut Writer<'_>) -> Result<(), MaterializeError> {
        Ok(())
    }
}

schema! {
    pub App {
        events: [TodoCreated, TodoAdded],
    }
}

fn main() {}
