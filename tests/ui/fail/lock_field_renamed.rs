use livestore::prelude::*;

#[derive(Serialize, Deserialize)]
struct Tag;

#[derive(Event)]
#[event(name = "lock.v1.Noted")]
struct Noted {
    id: String,
    body: String,
    tag: Option<Tag>,
    #[serde(default)]
    at: Timestamp,
}

fn main() {}
