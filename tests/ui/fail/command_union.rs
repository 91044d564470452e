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

#[derive(Command)]
union Assign {
    number: u32,
    seat: f32,
}

fn main() {}
