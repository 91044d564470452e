use livestore::prelude::*;

#[client_document]
#[derive(Clone, Default, Serialize, Deserialize)]
struct UiState {
    id: String,
    zoom: u8,
}

fn main() {}
