use livestore::prelude::*;

#[client_document(nmae = "ui")]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct UiState {
    filter: String,
    zoom: u8,
}

livestore::schema! { App { documents: [UiState] } }

fn main() -> livestore::Result<()> {
    let store = Store::<App>::builder("todos").open()?;
    store.commit(UiState::set().filter("open"))?;
    let _: u8 = store.query(UiState::get())?.zoom;
    Ok(())
}
