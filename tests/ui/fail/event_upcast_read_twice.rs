use livestore::prelude::*;

#[derive(Event)]
#[event(name = "v1.Noted")]
struct NotedV1;

#[derive(Event)]
enum NoteEvent {
    #[event(name = "v2.Noted", upcast("v1.Noted", with = from_v1))]
    Noted,
    #[event(name = "v2.Written", upcast("v1.Noted", with = from_v1))]
    Written,
}

fn from_v1(_: NotedV1) -> NoteEvent {
    NoteEvent::Noted
}

fn main() {}
