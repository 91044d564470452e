use livestore::prelude::*;

#[derive(Serialize, Deserialize)]
struct Tag;

#[derive(Event)]
#[event(name = "lock.v1.Noted", client_only)]
struct Noted {
    id: String,
    text: String,
    tag: Option<Tag>,
    #[serde(default)]
    at: Timestamp,
}

fn main() {}
