use livestore::prelude::*;

#[derive(Command, Serialize, Deserialize)]
struct Assign {
    seat: u32,
}

impl Execute for Assign {
    type Events = Vec<Assigned>;
    type Output = ();
    type Error = QueryError;

    fn execute(
        &self,
        _: &Reader<'_>,
        _: &ExecuteContext,
    ) -> Result<(Vec<Assigned>, ()), QueryError> {
        Ok((Vec::new(), ()))
    }
}

#[derive(Command, Serialize, Deserialize)]
#[command(name = "Assign")]
struct AssignAny;

impl Execute for AssignAny {
    type Events = Vec<Assigned>;
    type Output = ();
    type Error = QueryError;

    fn execute(
        &self,
        _: &Reader<'_>,
        _: &ExecuteContext,
    ) -> Result<(Vec<Assigned>, ()), QueryError> {
        Ok((Vec::new(), ()))
    }
}

#[derive(Event)]
#[event(name = "v1.Assigned")]
struct Assigned {
    seat: u32,
}

impl Materialize for Assigned {
    fn materialize(&self, _: &mut Writer<'_>) -> Result<(), MaterializeError> {
        Ok(())
    }
}

schema! {
    pub App {
        events: [Assigned],
        commands: [Assign, AssignAny],
    }
}

fn main() {}
