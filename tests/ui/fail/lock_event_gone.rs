use livestore::prelude::*;

#[derive(Event)]
enum LockedEvent {
    #[event(name = "lock.v1.Removed")]
    Deleted { id: String },
}

impl Materialize for LockedEvent {
    fn materialize(&self, _: &mut Writer<'_>) -> Result<(), MaterializeError> {
        Ok(())
    }
}

livestore::schema! { Locked { events: [LockedEvent] } }

fn main() {}
