use livestore::prelude::*;

#[derive(Command, Serialize, Deserialize)]
struct Assign {
    seat: u32,
}

schema! {
    pub App {
        commands: [Assign],
    }
}

fn main() {}
