use livestore::prelude::*;

#[table]
struct Seat {
    #[column(primary_key)]
    number: u32,
}

#[derive(Event)]
#[event(name = "v1.SeatAssigned")]
struct SeatAssigned {
    number: u32,
}

impl Materialize for SeatAssigned {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        state.upsert(&Seat { number: self.number })
    }
}

#[derive(Serialize, Deserialize)]
struct Assign {
    number: u32,
}

impl Execute for Assign {
    type Events = SeatAssigned;
    type Output = ();
    type Error = QueryError;

    fn execute(&self, _: &Reader<'_>, _: &ExecuteContext) -> Result<(SeatAssigned, ()), QueryError> {
        Ok((SeatAssigned { number: self.number }, ()))
    }
}

schema! {
    pub App {
        tables: [Seat],
        events: [SeatAssigned],
    }
}

fn main() {
    let store = Store::<App>::builder("seats").open().unwrap();
    let _ = store.execute(Assign { number: 1 });
}
