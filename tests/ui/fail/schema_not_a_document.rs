use livestore::prelude::*;

#[derive(Default, Serialize, Deserialize)]
struct UiState {
    filter: String,
}

schema! {
    pub App {
        documents: [UiState],
    }
}

fn main() {}
