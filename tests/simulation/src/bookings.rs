//! Seats and accounts: no seat may be taken twice, and no balance may be negative.
//!
//! An event of theirs is right only because somebody looked before. So commands alone commit them, and the
//! server's events keep these rules if every command is executed again behind whatever comes before it.

use std::collections::BTreeMap;

use livestore::prelude::*;
use serde_json::Value;

use crate::app::{Happening, Key};
use crate::disk::Dice;

/// A seat, once somebody has had it.
#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Seat {
    /// Its number.
    #[column(primary_key)]
    pub id: i64,
    /// Who has it, or 0.
    pub guest: i64,
    /// The number of guests who have it.
    pub taken: i64,
}

/// An account, once somebody has used it.
#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Its number.
    #[column(primary_key)]
    pub id: i64,
    /// What is left.
    pub balance: i64,
}

/// What commands decide.
#[expect(missing_docs, reason = "the names say it")]
#[derive(Event, Debug, Clone)]
pub enum Booking {
    #[event(name = "v1.SeatTaken")]
    Taken { mark: u64, seat: i64 },
    #[event(name = "v1.SeatFreed")]
    Freed { mark: u64, seat: i64, guest: i64 },
    #[event(name = "v1.Paid")]
    Paid { mark: u64, from: i64, to: i64, amount: i64 },
}

impl Materialize for Booking {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match *self {
            Self::Taken { mark, seat } => {
                let sql = "INSERT INTO seat (id, guest, taken) VALUES (?, ?, 1) ON CONFLICT (id) \
                           DO UPDATE SET guest = excluded.guest, taken = taken + 1";
                state.sql(sql, (seat, mark.cast_signed())).map(|_| ())
            }
            Self::Freed { seat, guest, .. } => {
                let sql = "UPDATE seat SET guest = 0, taken = taken - 1 WHERE id = ? AND guest = ?";
                state.sql(sql, (seat, guest)).map(|_| ())
            }
            Self::Paid { from, to, amount, .. } => {
                add(state, from, -amount)?;
                add(state, to, amount)
            }
        }
    }
}

fn add(state: &mut Writer<'_>, account: i64, amount: i64) -> Result<(), MaterializeError> {
    let balance = state.query(Account::get(account))?.map_or(BEGINNING, |account| account.balance);
    state.upsert(&Account { id: account, balance: balance + amount })
}

fn balance(state: &Reader<'_>, account: i64) -> Result<i64, QueryError> {
    Ok(state.query(Account::get(account))?.map_or(BEGINNING, |account| account.balance))
}

const SEATS: i64 = 4;
const ACCOUNTS: i64 = 4;
/// What is in an account at first.
const BEGINNING: i64 = 20;

/// What clients ask for.
#[expect(missing_docs, reason = "the names say it")]
#[derive(Command, Debug, Clone, Serialize, Deserialize)]
pub enum Request {
    Book {
        mark: u64,
        seat: i64,
    },
    /// The first seat that is free.
    BookAny {
        mark: u64,
    },
    /// Frees a seat, if it is taken.
    Leave {
        mark: u64,
        seat: i64,
    },
    Pay {
        mark: u64,
        from: i64,
        to: i64,
        amount: i64,
    },
    /// Takes it from as many of the other accounts as it needs.
    Collect {
        mark: u64,
        to: i64,
        amount: i64,
    },
}

/// Why a request is not met.
#[derive(Debug)]
pub enum Unmet {
    /// There is no seat, or not enough money.
    Short,
    /// The state could not be read.
    Query(QueryError),
}

impl std::fmt::Display for Unmet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Short => f.write_str("there is not enough left"),
            Self::Query(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Unmet {}

impl From<QueryError> for Unmet {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}

impl Execute for Request {
    type Events = (Vec<Booking>, Option<Happening>);
    type Output = ();
    type Error = Unmet;

    fn execute(&self, state: &Reader<'_>, _: &ExecuteContext) -> Result<(Self::Events, ()), Unmet> {
        let guest = |seat: i64| -> Result<Option<i64>, QueryError> {
            let seat = state.query(Seat::get(seat))?;
            Ok(seat.filter(|seat| seat.taken > 0).map(|seat| seat.guest))
        };
        let mut looked = None;
        let bookings = match *self {
            Self::Book { mark, seat } => match guest(seat)? {
                None => vec![Booking::Taken { mark, seat }],
                Some(_) => return Err(Unmet::Short),
            },
            Self::BookAny { mark } => {
                for seat in 0..SEATS {
                    if guest(seat)?.is_none() {
                        return Ok(((vec![Booking::Taken { mark, seat }], None), ()));
                    }
                }
                return Err(Unmet::Short);
            }
            Self::Leave { mark, seat } => {
                let guest = guest(seat)?;
                guest.map(|guest| Booking::Freed { mark, seat, guest }).into_iter().collect()
            }
            Self::Pay { mark, from, to, amount } => {
                if balance(state, from)? < amount {
                    return Err(Unmet::Short);
                }
                // It stays on its client, and is withdrawn with the rest.
                looked = Some(Happening::Looked { mark, item: format!("account-{from}") });
                vec![Booking::Paid { mark, from, to, amount }]
            }
            Self::Collect { mark, to, amount } => collect(state, mark, to, amount)?,
        };
        Ok(((bookings, looked), ()))
    }
}

fn collect(state: &Reader<'_>, mark: u64, to: i64, amount: i64) -> Result<Vec<Booking>, Unmet> {
    let (mut paid, mut left) = (Vec::new(), amount);
    for from in (0..ACCOUNTS).filter(|from| *from != to) {
        let amount = balance(state, from)?.min(left);
        if amount > 0 {
            paid.push(Booking::Paid { mark: mark + paid.len() as u64, from, to, amount });
            left -= amount;
        }
    }
    if left == 0 { Ok(paid) } else { Err(Unmet::Short) }
}

impl Request {
    /// Any request. `marks` gives each of its events a mark of its own.
    pub fn draw(dice: &mut Dice, marks: &mut u64) -> Self {
        *marks += ACCOUNTS as u64;
        let mark = *marks;
        let mut below = |end: i64| dice.below(end.unsigned_abs()).cast_signed();
        let (account, other) = (below(ACCOUNTS), below(ACCOUNTS));
        match below(10) {
            0..=2 => Self::Book { mark, seat: below(SEATS) },
            3 | 4 => Self::BookAny { mark },
            5 => Self::Leave { mark, seat: below(SEATS) },
            6..=8 => Self::Pay { mark, from: account, to: other, amount: 1 + below(15) },
            _ => Self::Collect { mark, to: account, amount: 1 + below(40) },
        }
    }

    /// The mark by which it is known.
    pub fn mark(&self) -> u64 {
        let (Self::Book { mark, .. }
        | Self::BookAny { mark }
        | Self::Leave { mark, .. }
        | Self::Pay { mark, .. }
        | Self::Collect { mark, .. }) = *self;
        mark
    }

    /// The events that may follow from it, in order.
    pub fn keys(&self) -> Vec<Key> {
        let key = |name: &str, n: u64| (name.to_owned(), self.mark() + n);
        match self {
            Self::Book { .. } | Self::BookAny { .. } => vec![key("v1.SeatTaken", 0)],
            Self::Leave { .. } => vec![key("v1.SeatFreed", 0)],
            Self::Pay { .. } => vec![key("v1.Paid", 0), key("v1.ItemLooked", 0)],
            Self::Collect { .. } => (1..ACCOUNTS as u64).map(|n| key("v1.Paid", n - 1)).collect(),
        }
    }

    /// Whether its events are there as one execution makes them, if each is there this often.
    pub fn is_whole(&self, counts: &[usize]) -> bool {
        match self {
            Self::Pay { .. } => counts.iter().all(|count| *count == 1),
            _ => counts.is_sorted_by(|one, next| one >= next),
        }
    }

    /// Whether it may follow later that nothing is to be done.
    pub fn may_be_idle(&self) -> bool {
        matches!(self, Self::Leave { .. })
    }
}

/// Seats and accounts, as events make them or as a state has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bookings {
    /// Guest and number of guests by seat.
    pub seats: BTreeMap<i64, (i64, i64)>,
    /// Balances.
    pub accounts: BTreeMap<i64, i64>,
}

impl Bookings {
    /// Those of a state.
    pub fn of(seats: Vec<Seat>, accounts: Vec<Account>) -> Self {
        Self {
            seats: seats.into_iter().map(|seat| (seat.id, (seat.guest, seat.taken))).collect(),
            accounts: accounts.into_iter().map(|it| (it.id, it.balance)).collect(),
        }
    }

    /// Applies an event. `None` if it is none of theirs.
    pub fn apply(&mut self, name: &str, args: &Value) -> Option<()> {
        let number = |name: &str| args.get(name)?.as_i64();
        match name {
            "v1.SeatTaken" => {
                let seat = self.seats.entry(number("seat")?).or_default();
                *seat = (number("mark")?, seat.1 + 1);
            }
            "v1.SeatFreed" => {
                let (seat, guest) = (number("seat")?, number("guest")?);
                if let Some(seat) = self.seats.get_mut(&seat).filter(|seat| seat.0 == guest) {
                    *seat = (0, seat.1 - 1);
                }
            }
            "v1.Paid" => {
                let amount = number("amount")?;
                for (account, amount) in [(number("from")?, -amount), (number("to")?, amount)] {
                    *self.accounts.entry(account).or_insert(BEGINNING) += amount;
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// What must be true of them, if only commands have made them.
    pub fn check(&self) -> Result<(), String> {
        if let Some(seat) = self.seats.iter().find(|(_, (_, taken))| !(0..=1).contains(taken)) {
            return Err(format!("a seat is oversold: {seat:?}"));
        }
        if let Some(account) = self.accounts.iter().find(|(_, balance)| **balance < 0) {
            return Err(format!("a balance is negative: {account:?}"));
        }
        let sum: i64 = self.accounts.values().sum();
        if sum != BEGINNING * self.accounts.len() as i64 {
            return Err(format!("money is lost or made: {:?}", self.accounts));
        }
        Ok(())
    }
}
