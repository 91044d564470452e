use livestore::prelude::*;

struct App;

fn main() {
    let _ = Store::<App>::builder("todos").open();
}
