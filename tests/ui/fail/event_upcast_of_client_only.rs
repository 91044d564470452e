use livestore::prelude::*;

#[derive(Event)]
#[event(name = "v1.Noted", client_only)]
struct NotedV1 {
    text: String,
}

#[derive(Event)]
#[event(name = "v2.Noted", upcast("v1.Noted", with = from_v1))]
struct Noted {
    text: String,
}

fn from_v1(old: NotedV1) -> Noted {
    Noted { text: old.text }
}

fn main() {}
