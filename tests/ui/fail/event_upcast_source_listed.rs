use livestore::prelude::*;

#[derive(Event)]
#[event(name = "v1.Noted")]
struct NotedV1;

#[derive(Event)]
#[event(name = "v2.Noted", upcast("v1.Noted", with = from_v1))]
struct Noted;

fn from_v1(_: NotedV1) -> Noted {
    Noted
}

impl Materialize for NotedV1 {
    fn materialize(&self, _: &mut Writer<'_>) -> Result<(), MaterializeError> {
        Ok(())
    }
}

impl Materialize for Noted {
    fn materialize(&self, _: &mut Writer<'_>) -> Result<(), MaterializeError> {
        Ok(())
    }
}

livestore::schema! { App { events: [Noted, NotedV1] } }

fn main() {}
