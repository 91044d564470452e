use livestore::prelude::*;

schema! {
    pub App {
        events: [],
    }
}

fn read(store: &Store<App>) {
    let _ = store.query("SELECT * FROM todo");
}

fn main() {}
