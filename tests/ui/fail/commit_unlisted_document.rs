use livestore::prelude::*;

#[client_document]
#[derive(Clone, Default, Serialize, Deserialize)]
struct UiState {
    filter: String,
}

schema! {
    pub App {
        events: [],
    }
}

fn clear(store: &Store<App>) -> Result<(), CommitError> {
    store.commit(UiState::set().filter(""))?;
    Ok(())
}

fn main() {}
