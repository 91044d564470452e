use livestore::prelude::*;

struct TodoEvent;

impl Materialize for TodoEvent {
    fn materialize(&self, _: &mut Writer<'_>) -> Result<(), MaterializeError> {
        Ok(())
    }
}

fn main() {}
