use livestore::prelude::*;

#[client_document(nmae = "ui")]
#[derive(Clone, Default, Serialize, Deserialize)]
struct UiState {
    filter: String,
    zoom: u8,
}

fn main() {}
