use livestore::prelude::*;

#[derive(Clone, Default, Serialize, Deserialize)]
enum Filter {
    #[default]
    All,
    Open,
}

#[client_document]
#[derive(Clone, Default, Serialize, Deserialize)]
struct UiState {
    filter: Filter,
}

fn main() {
    let _ = UiState::set().filter("open");
}
