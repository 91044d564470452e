use livestore::prelude::*;

#[client_document]
#[derive(Clone, Default, Serialize, Deserialize)]
struct UiState<T> {
    filter: T,
    zoom: u8,
}

fn main() {}
