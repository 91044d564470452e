// 2 mistakes
use livestore::prelude::*;

#[table(primary_key(room, seat))]
struct Seat {
    room: u8,
    seat: u8,
    #[column(index)]
    name: String,
}

#[table]
struct Ticket {
    #[column(primary_key)]
    id: String,
    #[column(references = Seat::NAME)]
    name: String,
    #[column(references = Seat::SEAT)]
    seat: u8,
}

livestore::schema! { App { tables: [Seat, Ticket] } }

fn main() {}
