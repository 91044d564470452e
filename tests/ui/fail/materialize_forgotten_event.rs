use livestore::prelude::*;

#[derive(Event)]
enum TodoEvent {
    #[event(name = "v1.TodoCreated")]
    Created { id: String },
    #[event(name = "v1.TodoCompleted")]
    Completed { id: String },
}

impl Materialize for TodoEvent {
    fn materialize(&self, _: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self {
            Self::Created { .. } => Ok(()),
        }
    }
}

fn main() {}
