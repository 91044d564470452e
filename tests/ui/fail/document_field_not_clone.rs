use livestore::prelude::*;

#[derive(Default, Serialize, Deserialize)]
struct Filter;

#[client_document]
#[derive(Default, Serialize, Deserialize)]
struct UiState {
    filter: Filter,
}

fn main() {}
