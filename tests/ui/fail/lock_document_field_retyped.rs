use livestore::prelude::*;

#[client_document(name = "locked")]
#[derive(Clone, Default, Serialize, Deserialize)]
struct Locked {
    zoom: String,
}

fn main() {}
