use livestore::prelude::*;

#[client_document]
#[derive(Clone, Default, Serialize, Deserialize)]
struct UiState {
    #[serde(flatten)]
    filter: String,
    zoom: u8,
}

fn main() {}
