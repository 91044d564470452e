use livestore::prelude::*;

#[derive(Command, Serialize, Deserialize)]
#[command(nme = "Assign")]
struct Assign {
    seat: u32,
}

fn main() {}
