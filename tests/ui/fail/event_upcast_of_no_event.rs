use livestore::prelude::*;

#[derive(Event)]
#[event(name = "v2.Noted", upcast("v1.Noted", with = from_v1))]
struct Noted {
    text: String,
}

fn from_v1(old: String) -> Noted {
    Noted { text: old }
}

fn main() {}
