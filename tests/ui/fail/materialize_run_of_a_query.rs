use livestore::prelude::*;

#[table]
struct Todo {
    #[column(primary_key)]
    id: String,
    text: String,
    done: bool,
    owner: String,
    due: Option<Timestamp>,
}

#[derive(Event)]
#[event(name = "v1.TodosCleared")]
struct TodosCleared {}

impl Materialize for TodosCleared {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        state.run(Todo::filter(Todo::DONE.eq(true)))
    }
}

fn main() {}
