//! Seats, which events alone sell twice: the commands look first, whatever came before them.

use livestore::prelude::*;

/// A seat.
#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Seat {
    /// Its number.
    #[column(primary_key)]
    pub number: u32,
    /// Who has it.
    pub guest: Option<String>,
    /// How often it was assigned: more than once is too often.
    pub assigned: u32,
}

/// The things that can happen to seats.
#[derive(Event, Debug, Clone, PartialEq)]
pub enum SeatEvent {
    /// A new seat, which is free. One that is there already stays as it is.
    #[event(name = "v1.SeatAdded")]
    Added {
        /// Its number.
        number: u32,
    },
    /// A guest for a seat, whether or not it is free.
    #[event(name = "v1.SeatAssigned")]
    Assigned {
        /// The seat's number.
        number: u32,
        /// The guest.
        guest: String,
    },
}

impl Materialize for SeatEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self {
            Self::Added { number } => state
                .insert_or_ignore(&Seat { number: *number, guest: None, assigned: 0 })
                .map(|_| ()),
            Self::Assigned { number, guest } => state.run(
                Seat::update()
                    .set(Seat::GUEST, guest.clone())
                    .add(Seat::ASSIGNED, 1_u32)
                    .filter(Seat::NUMBER.eq(*number)),
            ),
        }
    }
}

/// Assigns a certain seat, if it is free.
#[derive(Command, Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assign {
    /// The seat's number.
    pub number: u32,
    /// The guest.
    pub guest: String,
}

/// Assigns the free seat with the lowest number, and returns that.
#[derive(Command, Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AssignAny {
    /// The guest.
    pub guest: String,
}

/// Why no seat was assigned.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotAssigned {
    /// Somebody has the seat.
    #[error("seat {number} is {guest}'s")]
    Taken {
        /// The seat's number.
        number: u32,
        /// Who has it.
        guest: String,
    },
    /// There is no such seat.
    #[error("there is no seat {number}")]
    NoSuchSeat {
        /// The number.
        number: u32,
    },
    /// All seats are taken.
    #[error("all seats are taken")]
    Full,
    /// The state could not be read.
    #[error(transparent)]
    Query(#[from] QueryError),
}

impl Execute for Assign {
    type Events = SeatEvent;
    type Output = ();
    type Error = NotAssigned;

    fn execute(
        &self,
        state: &Reader<'_>,
        _: &ExecuteContext,
    ) -> Result<(SeatEvent, ()), NotAssigned> {
        let Self { number, guest } = self.clone();
        match state.query(Seat::get(number))? {
            None => Err(NotAssigned::NoSuchSeat { number }),
            Some(Seat { guest: Some(guest), .. }) => Err(NotAssigned::Taken { number, guest }),
            Some(_) => Ok((SeatEvent::Assigned { number, guest }, ())),
        }
    }
}

impl Execute for AssignAny {
    type Events = SeatEvent;
    type Output = u32;
    type Error = NotAssigned;

    fn execute(
        &self,
        state: &Reader<'_>,
        _: &ExecuteContext,
    ) -> Result<(SeatEvent, u32), NotAssigned> {
        let free = Seat::filter(Seat::GUEST.is_null()).order_by(Seat::NUMBER.asc()).first();
        let number = state.query(free)?.ok_or(NotAssigned::Full)?.number;
        Ok((SeatEvent::Assigned { number, guest: self.guest.clone() }, number))
    }
}

livestore::schema! {
    /// Seats, and two ways to assign them.
    pub App {
        tables: [Seat],
        events: [SeatEvent],
        commands: [Assign, AssignAny],
    }
}
