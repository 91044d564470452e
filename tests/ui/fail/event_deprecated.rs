#![deny(deprecated)]

use livestore::prelude::*;

#[derive(Event)]
enum TodoEvent {
    #[event(name = "v1.TodoRemoved")]
    #[deprecated = "commit `v2.TodoRemoved`, which keeps the reason"]
    Removed { id: String },
    #[event(name = "v2.TodoRemoved")]
    RemovedFor { id: String, reason: String },
}

#[derive(Event)]
#[event(name = "v1.Old")]
#[deprecated]
struct Old;

impl Materialize for TodoEvent {
    fn materialize(&self, _: &mut Writer<'_>) -> Result<(), MaterializeError> {
        Ok(())
    }
}

#[expect(deprecated)]
impl Materialize for Old {
    fn materialize(&self, _: &mut Writer<'_>) -> Result<(), MaterializeError> {
        Ok(())
    }
}

livestore::schema! { App { events: [TodoEvent, Old] } }

fn main() {
    let store = Store::<App>::builder("todos").open().unwrap();
    store.commit(TodoEvent::Removed { id: "1".into() }).unwrap();
}
