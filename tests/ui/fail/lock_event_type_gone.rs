use livestore::prelude::*;

livestore::schema! { Locked { events: [] } }

fn main() {}
