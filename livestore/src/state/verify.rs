//! Comparing a state with a replay of its events: the check of the law that the same events make the
//! same state.

mod lockstep;

use std::collections::BTreeMap;
use std::fmt;

use xxhash_rust::xxh3::Xxh3;

use self::lockstep::Lockstep;
use super::{Quarantined, Replay, ReplayError, State};
use crate::event::SeqNum;
use crate::eventlog::Eventlog;
use crate::sqlite::{SqliteError, hash_row, quote, value_of};
use crate::table::TableDef;
use crate::value::Value;

/// Chance may make two replays equal that are not deterministic.
const ATTEMPTS: usize = 4;

/// The first difference between a state and a replay of its events.
///
/// Its text names the event, the table and the row, and says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Divergence {
    /// The reason.
    pub cause: DivergenceCause,
    /// The first thing that differs.
    pub difference: Difference,
    /// The number of the event that made the difference, and its wire name: the first one at which two
    /// replays part, the one that is quarantined, or the last one that writes the row in a replay.
    /// `None` if no event of the replay writes it.
    pub event: Option<(SeqNum, String)>,
}

/// The reason why a state is not what a replay makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DivergenceCause {
    /// Two replays differ, too.
    NotDeterministic,
    /// Replays are the same: a different version of the materializer made the state.
    Changed,
}

/// Something that differs between two states.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// A row has different values, or is missing.
    Row {
        /// The table.
        table: &'static str,
        /// The columns of the primary key, with their values.
        row: String,
    },
    /// The rows of a table were inserted in a different order.
    Order {
        /// The table.
        table: &'static str,
    },
    /// An event can be applied in one, and is quarantined in the other.
    Quarantine,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cause, difference, event } = self;
        f.write_str(match cause {
            DivergenceCause::NotDeterministic => "two replays differ",
            DivergenceCause::Changed => "the state differs from a replay",
        })?;
        match difference {
            Difference::Row { table, row } => write!(f, " in table `{table}`, row {row}")?,
            Difference::Order { table } => {
                write!(f, " in the order of the rows of table `{table}`")?
            }
            Difference::Quarantine => f.write_str(" in the quarantined events")?,
        }
        match event {
            Some((seq, name)) => write!(f, ", at event {seq}, {name}; ")?,
            None => f.write_str(", which no event of the replay writes; ")?,
        }
        f.write_str(match cause {
            DivergenceCause::NotDeterministic => {
                "let its materializer use nothing but the event and the state: no clock, no random \
                 number, no static, no order of a hash map"
            }
            DivergenceCause::Changed => {
                "if its materializer was changed, raise `Materialize::VERSION`; if not, it uses more \
                 than the event and the state"
            }
        })
    }
}

impl State {
    /// Returns a hash of all rows in the order of their insertion, and of the quarantined events.
    pub(crate) fn ordered_hash(&self) -> Result<u64, SqliteError> {
        let mut hash = Xxh3::new();
        for table in self.schema.tables() {
            hash.update(&self.table_hash(table)?.to_le_bytes());
        }
        for event in self.quarantined()? {
            hash.update(&event.seq.global.to_le_bytes());
            hash.update(&event.seq.client.to_le_bytes());
        }
        Ok(hash.digest())
    }

    /// Compares the state with a replay of the log up to its head. If they differ, the log is replayed
    /// some more times, to find the event.
    pub(crate) fn compare_with_replay(
        &self,
        log: &Eventlog,
    ) -> Result<Option<Divergence>, ReplayError> {
        let mut replayed = Self::empty(self.schema)?;
        Replay::new(log).run(&mut replayed, self.head)?;
        let quarantined = first_only_in_one(self.quarantined()?, replayed.quarantined()?);
        let (difference, row) = match (self.first_difference(&replayed)?, &quarantined) {
            (Some(found), _) => found,
            (None, Some(_)) => (Difference::Quarantine, (0, Key::default())),
            (None, None) => return Ok(None),
        };
        drop(replayed);
        let mut writer = None;
        for _ in 0..ATTEMPTS {
            let mut lockstep = Lockstep::new(self.schema, log, &row)?;
            if let Some((difference, event)) = lockstep.run(self.head)? {
                let cause = DivergenceCause::NotDeterministic;
                return Ok(Some(Divergence { cause, difference, event: Some(event) }));
            }
            writer = lockstep.into_last_writer();
        }
        let event = quarantined.map(|event| (event.seq, event.name)).or(writer);
        Ok(Some(Divergence { cause: DivergenceCause::Changed, difference, event }))
    }

    /// Returns the first difference between rows, with the place of the row.
    fn first_difference(
        &self,
        other: &Self,
    ) -> Result<Option<(Difference, RowPlace)>, SqliteError> {
        for (position, table) in self.schema.tables().enumerate() {
            if self.table_hash(table)? == other.table_hash(table)? {
                continue;
            }
            let (here, there) = (self.rows_by_key(table)?, other.rows_by_key(table)?);
            let keys = there.keys().chain(here.keys());
            let differing = { keys }.find(|key| here.get(*key) != there.get(*key)).cloned();
            let difference = match &differing {
                Some(key) => Difference::Row { table: table.name(), row: key.describe(table) },
                None => Difference::Order { table: table.name() },
            };
            return Ok(Some((difference, (position, differing.unwrap_or_default()))));
        }
        Ok(None)
    }

    /// Hashes the rows of a table in the order of their insertion.
    fn table_hash(&self, table: &TableDef) -> Result<u64, SqliteError> {
        let mut statement = self.db.prepare(&select_all(table))?;
        let (mut hash, mut rows) = (Xxh3::new(), statement.query([])?);
        while let Some(row) = rows.next()? {
            hash_row(row, &mut hash);
        }
        Ok(hash.digest())
    }

    /// The hash of each row of a table.
    fn rows_by_key(&self, table: &TableDef) -> Result<BTreeMap<Key, u64>, SqliteError> {
        let mut statement = self.db.prepare(&select_all(table))?;
        let (mut found, mut rows) = (BTreeMap::new(), statement.query([])?);
        while let Some(row) = rows.next()? {
            let mut hash = Xxh3::new();
            hash_row(row, &mut hash);
            let value = |column| row.get_ref(column).ok().and_then(|value| value_of(value).ok());
            found.insert(
                Key::of(table, |column| value(column).map(Value::into_owned)),
                hash.digest(),
            );
        }
        Ok(found)
    }
}

/// The position of a table, and the key of a row of it.
type RowPlace = (usize, Key);

/// A table is read in the order of its row ids.
fn select_all(table: &TableDef) -> String {
    format!("SELECT * FROM {}", quote(table.name()))
}

/// The first event that is in one list only.
fn first_only_in_one(left: Vec<Quarantined>, right: Vec<Quarantined>) -> Option<Quarantined> {
    let place = |event: &Quarantined| (event.seq.global, event.seq.client);
    let lacks =
        |all: &[Quarantined], event: &Quarantined| all.iter().all(|it| place(it) != place(event));
    let only_right = right.iter().find(|event| lacks(&left, event)).cloned();
    let only_left = left.iter().find(|event| lacks(&right, event)).cloned();
    only_left.into_iter().chain(only_right).min_by_key(place)
}

/// The values of a row's primary key, as SQL writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Key(Vec<String>);

impl Key {
    fn of(table: &TableDef, value: impl Fn(usize) -> Option<Value<'static>>) -> Self {
        let literal = |&column: &usize| value(column).as_ref().map_or_else(String::new, literal);
        Self(table.primary_key.iter().map(literal).collect())
    }

    fn describe(&self, table: &TableDef) -> String {
        let columns = table.primary_key.iter().map(|&column| table.column_name(column));
        let pairs = columns.zip(&self.0).map(|(column, value)| format!("{column} = {value}"));
        pairs.collect::<Vec<_>>().join(", ")
    }
}

fn literal(value: &Value<'_>) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(integer) => integer.to_string(),
        Value::Real(real) => real.to_string(),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Blob(bytes) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("x'{hex}'")
        }
    }
}
