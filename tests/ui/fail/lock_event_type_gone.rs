livestore::schema! { Locked { events: [] } }

fn main() {}
