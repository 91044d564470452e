use livestore::prelude::*;

#[derive(Serialize, Deserialize)]
struct Tag;

#[derive(Event)]
#[event(name = "lock.v1.Noted")]
struct Noted {
    id: String,
    text: String,
    tag: Option<Tag>,
    at: Timestamp,
}

fn main() {}
