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

schema! {
    pub App {
        tables: [Seat],
        events: [SeatAssigned],
    }
}

fn main() {
    let store = Store::<App>::builder("seats").open().unwrap();
    let _ = store.execute(SeatAssigned { number: 1 });
}
