use livestore::prelude::*;

#[client_document]
#[derive(Clone, Serialize, Deserialize)]
enum UiState {
    List,
    Board,
}

fn main() {}
