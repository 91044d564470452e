use livestore::prelude::*;

#[client_document]
#[derive(Clone, Serialize, Deserialize)]
struct UiState {
    filter: String,
    zoom: u8,
}

fn main() {}
