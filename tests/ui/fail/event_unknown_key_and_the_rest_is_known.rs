use livestore::prelude::*;

#[derive(Event, Debug)]
enum TodoEvent {
    #[event(name = "v1.TodoAdded", client_onyl)]
    Added { id: String },
    #[event(name = "v1.TodoDone")]
    Done { id: String },
}

impl Materialize for TodoEvent {
    fn materialize(&self, _: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self {
            Self::Added { id } | Self::Done { id } => drop(id.clone()),
        }
        Ok(())
    }
}

livestore::schema! { App { events: [TodoEvent] } }

fn main() -> livestore::Result<()> {
    let store = Store::<App>::builder("todos").open()?;
    store.commit([TodoEvent::Added { id: "a".into() }, TodoEvent::Done { id: "a".into() }])?;
    Ok(())
}
