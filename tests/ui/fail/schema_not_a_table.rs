use livestore::prelude::*;

struct Note {
    id: String,
}

schema! {
    pub App {
        tables: [Note],
    }
}

fn main() {}
