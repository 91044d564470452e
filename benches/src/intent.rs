//! Commands and undo, each beside a commit of the same events.

use livestore::prelude::*;
use livestore_testing::sample::seats::{self, SeatEvent};

use crate::Result;
use crate::harness::{Measured, ROUNDS, compare, time};

/// Commands per round.
const COMMANDS: u32 = 1_000;

/// Undos per round: as many steps as a session has.
const UNDOS: u32 = 100;

#[table]
struct Card {
    #[column(primary_key)]
    id: u32,
    title: String,
}

#[derive(Event)]
enum CardEvent {
    #[event(name = "v1.CardAdded")]
    Added { id: u32, title: String },
    #[event(name = "v1.CardTitled")]
    Titled { id: u32, title: String },
}

impl Materialize for CardEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self {
            Self::Added { id, title } => state.insert(&Card { id: *id, title: title.clone() }),
            Self::Titled { id, title } => {
                state.run(Card::update().set(Card::TITLE, title.clone()).filter(Card::ID.eq(*id)))
            }
        }
    }
}

impl Undo for CardEvent {
    type Events = Option<Self>;

    fn undo(&self, before: &Reader<'_>) -> Result<Option<Self>, QueryError> {
        let Self::Titled { id, .. } = self else { return Ok(None) };
        let card = before.query(Card::get(*id))?;
        Ok(card.map(|Card { id, title }| Self::Titled { id, title }))
    }
}

livestore::schema! { Board { tables: [Card], events: [CardEvent], undo: [CardEvent] } }

/// The same without undo.
mod plain {
    use super::{Card, CardEvent};

    livestore::schema! { pub(super) Board { tables: [Card], events: [CardEvent] } }
}

/// A command that reads a row, and has one event; the floor is a commit of that event.
pub(crate) fn execute() -> Result<Measured> {
    let ours = Store::<seats::App>::builder("bench").open()?;
    let floor = Store::<seats::App>::builder("bench").open()?;
    let (mut ours_next, mut floor_next) = (rounds_of_seats(&ours), rounds_of_seats(&floor));
    compare(
        ROUNDS,
        COMMANDS,
        || {
            let seats = ours_next()?;
            time(|| {
                for (number, guest) in seats {
                    ours.execute(seats::Assign { number, guest })?;
                }
                Ok(())
            })
        },
        || {
            let seats = floor_next()?;
            time(|| {
                for (number, guest) in seats {
                    floor.commit(SeatEvent::Assigned { number, guest })?;
                }
                Ok(())
            })
        },
    )
}

/// Adds the seats of the next round at each call, and returns them with their guests.
fn rounds_of_seats(
    store: &Store<seats::App>,
) -> impl FnMut() -> Result<Vec<(u32, String)>> + use<'_> {
    let mut first = 0;
    move || {
        let numbers = first..first + COMMANDS;
        first = numbers.end;
        store.commit(
            numbers.clone().map(|number| SeatEvent::Added { number }).collect::<Vec<_>>(),
        )?;
        Ok(numbers.map(|number| (number, format!("guest {number}"))).collect())
    }
}

/// An undo, which reads a row three times; the floor is a commit of the same event in a store without undo.
pub(crate) fn undo() -> Result<Measured> {
    let ours = Store::<Board>::builder("bench").open()?;
    let floor = Store::<plain::Board>::builder("bench").open()?;
    let cards = || (0..UNDOS).map(|id| CardEvent::Added { id, title: String::new() });
    ours.commit(cards().collect::<Vec<_>>())?;
    floor.commit(cards().collect::<Vec<_>>())?;
    let titled = |title: &str| {
        let title = title.to_owned();
        (0..UNDOS).map(move |id| CardEvent::Titled { id, title: title.clone() })
    };
    let mut round = 0;
    compare(
        ROUNDS,
        UNDOS,
        || {
            round += 1;
            for event in titled(&format!("title {round}")) {
                ours.commit(event)?;
            }
            time(|| {
                for _ in 0..UNDOS {
                    ours.undo()?;
                }
                Ok(())
            })
        },
        || {
            for event in titled("a title") {
                floor.commit(event)?;
            }
            let events: Vec<_> = titled("").collect();
            time(|| {
                for event in events {
                    floor.commit(event)?;
                }
                Ok(())
            })
        },
    )
}
