use livestore::prelude::*;

#[derive(Event)]
#[event(name = "v1.TodoCreated")]
struct TodoCreated {
    id: String,
}

impl Materialize for TodoCreated {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        state.insert(self)
    }
}

fn main() {}
