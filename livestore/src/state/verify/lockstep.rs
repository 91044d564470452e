//! Two replays side by side, which a deterministic log cannot part.

use super::{Difference, Key, RowPlace};
use crate::event::{EncodedEvent, SeqNum, commits, last_commit};
use crate::eventlog::Eventlog;
use crate::schema::SchemaDef;
use crate::sqlite::{Change, ColumnSet, Image, Rows};
use crate::state::{ApplyError, Replay, ReplayError, State};
use crate::table::TableDef;

/// An event's number and wire name.
type EventName = (SeqNum, String);

pub(super) struct Lockstep<'a> {
    log: &'a Eventlog,
    states: [State; 2],
    tables: Vec<&'static TableDef>,
    row: &'a RowPlace,
    /// The last event that wrote the row.
    last_writer: Option<EventName>,
}

/// The rows that an event changed.
type Effect = (EventName, Vec<Change>);

impl<'a> Lockstep<'a> {
    /// Two replays that look for the last event that writes this row.
    pub(super) fn new(
        schema: &'static SchemaDef,
        log: &'a Eventlog,
        row: &'a RowPlace,
    ) -> Result<Self, ReplayError> {
        let states = [State::empty(schema)?, State::empty(schema)?];
        let tables: Vec<_> = schema.tables().collect();
        for state in &states {
            for (position, table) in tables.iter().enumerate() {
                state.db.watch(position, ColumnSet::ALL, || table.table_names())?;
            }
        }
        Ok(Self { log, states, tables, row, last_writer: None })
    }

    /// Replays up to the event `to`. Stops at the first event that changes different rows in the two,
    /// and returns it with the first of them.
    pub(super) fn run(
        &mut self,
        to: SeqNum,
    ) -> Result<Option<(Difference, EventName)>, ReplayError> {
        let (mut pages, mut events) = (self.log.pages(SeqNum::ROOT, to), Vec::new());
        loop {
            let page = pages.next_page()?;
            let is_last = page.is_empty();
            events.extend(page);
            // The last commit may go on in the next page.
            let rest = if is_last { Vec::new() } else { events.split_off(last_commit(&events)) };
            for commit in commits(&events) {
                if let Some(found) = self.commit(commit)? {
                    return Ok(Some(found));
                }
            }
            if is_last {
                return Ok(None);
            }
            events = rest;
        }
    }

    /// The last event that wrote the row.
    pub(super) fn into_last_writer(self) -> Option<EventName> {
        self.last_writer
    }

    fn commit(
        &mut self,
        commit: &[EncodedEvent],
    ) -> Result<Option<(Difference, EventName)>, ReplayError> {
        let log = self.log;
        let [left, right] = &mut self.states;
        let (left, right) = (apply(left, log, commit)?, apply(right, log, commit)?);
        for ((event, left), (_, right)) in left.into_iter().zip(&right) {
            if let Some(difference) = self.difference(&left, right)? {
                return Ok(Some((difference, event)));
            }
            if left.iter().any(|change| self.writes_the_row(change)) {
                self.last_writer = Some(event);
            }
        }
        Ok(None)
    }

    fn writes_the_row(&self, change: &Change) -> bool {
        let (position, wanted) = self.row;
        let (Rows::One { old, new }, Some(table)) = (&change.rows, self.tables.get(change.table))
        else {
            return false;
        };
        let key_of = |image: &Image| Key::of(table, |column| image.values.get(column).cloned());
        change.table == *position
            && [old, new].into_iter().flatten().any(|image| key_of(image) == *wanted)
    }

    /// The first difference between the rows that an event changed in the two.
    fn difference(
        &self,
        left: &[Change],
        right: &[Change],
    ) -> Result<Option<Difference>, ReplayError> {
        for at in 0..left.len().max(right.len()) {
            let pair = (left.get(at), right.get(at));
            let Some(change) = pair.0.or(pair.1) else { continue };
            let Some(table) = self.tables.get(change.table) else { continue };
            if let Rows::Unknown = change.rows {
                let [left, right] = &self.states;
                if let Some((difference, _)) = left.first_difference(right)? {
                    return Ok(Some(difference));
                }
            } else if pair.0 != pair.1 {
                return Ok(Some(row_of(table, change)));
            }
        }
        Ok(None)
    }
}

fn row_of(table: &'static TableDef, change: &Change) -> Difference {
    let image = match &change.rows {
        Rows::One { old, new } => new.as_ref().or(old.as_ref()),
        Rows::Unknown => None,
    };
    let key = Key::of(table, |column| image?.values.get(column).cloned());
    Difference::Row { table: table.name(), row: key.describe(table) }
}

/// Applies a commit, event by event if all of them apply. Returns the changes of each event.
fn apply(
    state: &mut State,
    log: &Eventlog,
    commit: &[EncodedEvent],
) -> Result<Vec<Effect>, ReplayError> {
    if let Some(effects) = apply_each(state, commit)? {
        return Ok(effects);
    }
    Replay::new(log).apply(state, commit)?;
    let changes = state.take_changes();
    Ok(commit.first().map(|first| (name_of(first), changes)).into_iter().collect())
}

/// Returns `None` if an event does not apply; nothing has changed then.
fn apply_each(
    state: &mut State,
    commit: &[EncodedEvent],
) -> Result<Option<Vec<Effect>>, ReplayError> {
    let savepoint = state.savepoint()?;
    let mut effects = Vec::with_capacity(commit.len());
    for event in commit {
        let set = state.schema().event_set(&event.name);
        match set.map(|set| state.apply(event, set, &mut state.writer())) {
            Some(Ok(())) => {}
            Some(Err(ApplyError::State(error))) => return Err(error.into()),
            Some(Err(ApplyError::Event(_))) | None => {
                savepoint.rollback()?;
                return Ok(None);
            }
        }
        effects.push((name_of(event), Change::net(state.db.changes().take())));
    }
    savepoint.release()?;
    state.head = commit.last().map_or(state.head, |event| event.seq);
    Ok(Some(effects))
}

fn name_of(event: &EncodedEvent) -> EventName {
    (event.seq, event.name.clone().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[table]
    struct Item {
        #[column(primary_key)]
        text: String,
    }

    #[derive(Event)]
    #[event(name = "v1.Added")]
    struct Added {
        text: String,
    }

    impl Materialize for Added {
        fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
            state.insert(&Item { text: self.text.clone() })
        }
    }

    crate::schema! { App { tables: [Item], events: [Added] } }

    fn event(bytes: usize) -> EncodedEvent {
        EncodedEvent {
            seq: SeqNum::new(1),
            parent: SeqNum::ROOT,
            name: "v1.Added".into(),
            args: format!("{{\"text\":\"{}\"}}", "a".repeat(bytes)),
            client_id: "c".into(),
            session_id: "s".into(),
            schema_hash: 0,
            sync_metadata: None,
            continues: false,
            command: None,
        }
    }

    #[test]
    fn a_state_without_room_is_no_fault_of_the_event() {
        let mut state = State::empty(App::def()).unwrap();
        state.limit(64 * 1024).unwrap();
        assert_eq!(apply_each(&mut state, &[event(10)]).unwrap().unwrap().len(), 1);
        // It fails for its own reason: the item is there.
        assert!(apply_each(&mut state, &[event(10)]).unwrap().is_none());
        let error = apply_each(&mut state, &[event(1_000_000)]).map(|_| ()).unwrap_err();
        assert!(error.is_environmental(), "{error}");
    }
}
