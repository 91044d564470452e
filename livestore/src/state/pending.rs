//! Pending events lie above a savepoint: when others come first, they are rolled back.
//!
//! Beneath the savepoint is the *confirmed* state. [`rollback_pending`](State::rollback_pending)
//! goes back to it, without an undo log, in a time that depends on the number of pages that pending
//! events have changed.

use std::collections::BTreeSet;

use super::State;
use crate::event::SeqNum;
use crate::sqlite::{Change, Rows, SqliteError, Watched};

/// The most rows whose undoing is reported one by one; beyond, a whole table counts as changed.
const MAX_ROWS: usize = 65_536;

/// The savepoint beneath the pending events.
#[derive(Debug)]
pub(super) struct PendingSavepoint {
    /// The last event of the confirmed state.
    head: SeqNum,
    /// The tables that were watched when it was opened.
    watched: Watched,
    undo: PendingChanges,
}

/// A savepoint beneath a change that is not in the log yet, the new confirmed events included. It goes with
/// the pending events that lie above it.
#[derive(Debug)]
pub(super) struct Attempt {
    /// The last event beneath it.
    head: SeqNum,
}

impl State {
    /// Opens a savepoint for a change that is not in the log yet: nothing is pending, and what is applied from
    /// here on, confirmed or pending, can be [undone](Self::undo_attempt) until the log has it.
    pub(crate) fn begin_attempt(&mut self) -> Result<(), SqliteError> {
        self.db.open_savepoint("SAVEPOINT attempt")?;
        self.attempt = Some(Attempt { head: self.head });
        Ok(())
    }

    /// Undoes the change, if SQLite has not done so; returns whether the state is what it was. If not, it has
    /// to be made anew.
    pub(crate) fn undo_attempt(&mut self) -> Result<bool, SqliteError> {
        let Some(Attempt { head }) = self.attempt.take() else { return Ok(false) };
        self.pending = None;
        self.db.changes().clear();
        if !self.db.is_in_savepoint() {
            return Ok(false);
        }
        self.db.run("ROLLBACK TO attempt")?;
        self.db.run("RELEASE attempt")?;
        self.head = head;
        self.db.rolled_back(false)?;
        Ok(true)
    }

    /// Releases the savepoint beneath the one of the pending events, which is gone.
    fn end_attempt(&mut self) -> Result<(), SqliteError> {
        if self.attempt.take().is_some() && self.db.is_in_savepoint() {
            self.db.run("RELEASE attempt")?;
        }
        Ok(())
    }

    /// Opens the savepoint: events that are applied from here on are pending, and can be
    /// [rolled back](Self::rollback_pending).
    pub(crate) fn begin_pending(&mut self) -> Result<(), SqliteError> {
        self.db.open_savepoint("SAVEPOINT confirmed")?;
        let watched = self.db.watched();
        self.pending =
            Some(PendingSavepoint { head: self.head, watched, undo: PendingChanges::default() });
        Ok(())
    }

    /// Makes everything that was applied since [`begin_pending`](Self::begin_pending) part of the
    /// confirmed state.
    pub(crate) fn confirm_pending(&mut self) -> Result<(), SqliteError> {
        match self.pending.take() {
            Some(_) => {
                self.db.run("RELEASE confirmed")?;
                self.end_attempt()
            }
            None => Ok(()),
        }
    }

    /// The last event that cannot be rolled back.
    pub(crate) fn base(&self) -> SeqNum {
        self.pending.as_ref().map_or(self.head, |pending| pending.head)
    }

    /// Whether a materializer's `OR ROLLBACK` has undone what was pending:
    /// [roll back](Self::rollback_pending), and apply it again.
    pub(crate) fn savepoint_lost(&self) -> bool {
        self.pending.is_some() && !self.db.is_in_savepoint()
    }

    /// Goes back to the confirmed state. Nothing is pending then. Returns the rows of watched tables
    /// that this changed.
    pub(crate) fn rollback_pending(&mut self) -> Result<Vec<Change>, SqliteError> {
        let Some(pending) = self.pending.take() else { return Ok(Vec::new()) };
        self.db.changes().clear();
        // A materializer's `OR ROLLBACK` may have gone back already.
        if self.db.is_in_savepoint() {
            self.db.run("ROLLBACK TO confirmed")?;
            self.db.run("RELEASE confirmed")?;
        }
        self.end_attempt()?;
        self.head = pending.head;
        self.db.rolled_back(false)?;
        let mut undone = pending.undo.into_changes();
        // The rollback has also removed the triggers of tables that were watched after the
        // savepoint, or watched in a different way.
        for table in self.db.rewatch(&pending.watched)? {
            undone.retain(|change| change.table != table);
            undone.push(Change { table, rows: Rows::Unknown });
        }
        Ok(undone)
    }

    /// Returns the net changes to rows of watched tables since the last call.
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        let changes = Change::net(self.db.changes().take());
        if let Some(pending) = &mut self.pending {
            pending.undo.note(&changes);
        }
        changes
    }

    /// Gives back the memory of changes that nobody needs any more.
    pub(crate) fn recycle_changes(&self, changes: Vec<Change>) {
        self.db.changes().recycle(changes);
    }
}

/// The changes since the savepoint, for live queries when they are undone.
#[derive(Debug, Default)]
struct PendingChanges {
    changes: Vec<Change>,
    /// Their number when they were last netted.
    netted: usize,
    /// Tables with too many changes.
    whole: BTreeSet<usize>,
}

impl PendingChanges {
    fn note(&mut self, changes: &[Change]) {
        let known = changes.iter().filter(|change| !self.whole.contains(&change.table));
        self.changes.extend(known.cloned());
        if self.changes.len() > 2 * self.netted + 1_024 {
            self.changes = Change::net(std::mem::take(&mut self.changes));
            self.netted = self.changes.len();
        }
        if self.changes.len() > MAX_ROWS {
            self.whole.extend(self.changes.iter().map(|change| change.table));
            (self.changes, self.netted) = (Vec::new(), 0);
        }
    }

    fn into_changes(self) -> Vec<Change> {
        let undone = |Change { table, rows }| {
            let rows = match rows {
                Rows::One { old, new } => Rows::One { old: new, new: old },
                Rows::Unknown => Rows::Unknown,
            };
            Change { table, rows }
        };
        let whole = self.whole.into_iter().map(|table| Change { table, rows: Rows::Unknown });
        self.changes.into_iter().rev().map(undone).chain(whole).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EncodedEvent;
    use crate::prelude::*;
    use crate::sqlite::ColumnSet;
    use crate::state::ApplyError;
    use crate::value::Value;

    #[table]
    struct Item {
        #[column(primary_key)]
        id: i64,
        text: String,
    }

    #[derive(Event)]
    #[event(name = "v1.Put")]
    struct Put {
        id: i64,
        text: String,
    }

    impl Materialize for Put {
        fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
            if let Some(of_failing) = self.text.strip_prefix("OR ") {
                let insert = format!("INSERT OR {of_failing} INTO item VALUES (?, '')");
                return state.sql(&insert, (self.id,)).map(|_| ());
            }
            state.upsert(&Item { id: self.id, text: self.text.clone() })
        }
    }

    crate::schema! { App { tables: [Item], events: [Put] } }

    fn put(state: &State, id: i64, text: &str) -> Result<(), MaterializeError> {
        let event = EncodedEvent {
            seq: SeqNum::new(1),
            parent: SeqNum::ROOT,
            name: "v1.Put".into(),
            args: format!("{{\"id\":{id},\"text\":\"{text}\"}}"),
            client_id: "c".into(),
            session_id: "s".into(),
            schema_hash: 0,
            sync_metadata: None,
            continues: false,
            command: None,
        };
        let savepoint = state.savepoint().unwrap();
        let applied =
            state.apply(&event, state.schema.event_set("v1.Put").unwrap(), &mut state.writer());
        let applied = applied.map_err(|error| match error {
            ApplyError::Event(error) => error,
            ApplyError::State(error) => panic!("{error}"),
        });
        if applied.is_ok() {
            savepoint.release().unwrap()
        } else {
            savepoint.rollback().unwrap()
        }
        applied
    }

    fn watch(state: &State, columns: ColumnSet) {
        let names = || App::def().tables().next().unwrap().table_names();
        state.db.watch(0, columns, names).unwrap();
    }

    /// The table, watched, with the row 1.
    fn pending() -> State {
        let mut state = State::empty(App::def()).unwrap();
        watch(&state, ColumnSet::ALL);
        put(&state, 1, "a").unwrap();
        state.take_changes();
        state.begin_pending().unwrap();
        state
    }

    #[test]
    fn a_rollback_undoes_and_reports_the_rows() {
        let mut state = pending();
        let before = state.hash().unwrap();
        put(&state, 1, "b").unwrap();
        put(&state, 2, "c").unwrap();
        assert_eq!(state.take_changes().len(), 2);
        put(&state, 2, "d").unwrap();
        state.take_changes();
        let undone = Change::net(state.rollback_pending().unwrap());
        assert_eq!(state.hash().unwrap(), before);
        let text = |image: &Option<crate::sqlite::Image>| {
            image.as_ref().map(|image| image.values.last().unwrap().clone())
        };
        let undone = undone.iter().map(|change| match &change.rows {
            Rows::One { old, new } => (text(old), text(new)),
            Rows::Unknown => panic!("the rows are known"),
        });
        let value = |text: &'static str| Some(crate::value::Value::text(text));
        assert_eq!(undone.collect::<Vec<_>>(), [(value("d"), None), (value("b"), value("a"))]);
    }

    #[test]
    fn a_change_in_the_memory_of_the_last_shows_nothing_of_it() {
        let mut state = pending();
        let mut before = "a".to_owned();
        for text in ["longer", "b", &"long".repeat(2_000), "c", "longer"] {
            put(&state, 1, text).unwrap();
            let changes = state.take_changes();
            let [Change { rows: Rows::One { old: Some(old), new: Some(new) }, .. }] = &*changes
            else {
                panic!("one row changed: {changes:?}")
            };
            let row = |text: &str| [Value::Integer(1), Value::text(text.to_owned())];
            assert_eq!((&*old.values, &*new.values), (&row(&before)[..], &row(text)[..]));
            state.recycle_changes(changes);
            before = text.to_owned();
        }
    }

    #[test]
    fn what_goes_and_comes_back_has_not_changed() {
        let mut state = pending();
        put(&state, 2, "b").unwrap();
        state.take_changes();
        let mut changes = state.rollback_pending().unwrap();
        put(&state, 2, "b").unwrap();
        changes.extend(state.take_changes());
        assert_eq!(Change::net(changes), []);
    }

    #[test]
    fn tables_are_watched_as_before() {
        let mut state = State::empty(App::def()).unwrap();
        state.begin_pending().unwrap();
        watch(&state, ColumnSet::ALL);
        put(&state, 1, "a").unwrap();
        state.take_changes();
        assert_eq!(state.rollback_pending().unwrap(), [Change { table: 0, rows: Rows::Unknown }]);
        put(&state, 1, "a").unwrap();
        assert_eq!(state.take_changes().len(), 1);
        state.begin_pending().unwrap();
        state.db.unwatch(0).unwrap();
        assert_eq!(state.rollback_pending().unwrap(), []);
        put(&state, 2, "a").unwrap();
        assert_eq!(state.take_changes(), []);
    }

    #[test]
    fn what_was_not_captured_is_undone_as_a_whole() {
        let whole = [Change { table: 0, rows: Rows::Unknown }];
        let mut state = pending();
        state.db.unwatch(0).unwrap();
        put(&state, 1, "b").unwrap();
        watch(&state, ColumnSet::of(&[0]));
        assert_eq!(state.rollback_pending().unwrap(), whole);
        put(&state, 1, "c").unwrap();
        assert_eq!(state.take_changes(), [], "nobody asked for the text");
        state.begin_pending().unwrap();
        put(&state, 2, "a").unwrap();
        state.take_changes();
        watch(&state, ColumnSet::of(&[1]));
        assert_eq!(state.rollback_pending().unwrap(), whole);
        put(&state, 1, "d").unwrap();
        assert_eq!(state.take_changes().len(), 1);
    }

    #[test]
    fn what_fails_takes_no_other_changes_with_it() {
        let mut state = pending();
        put(&state, 2, "kept").unwrap();
        assert!(put(&state, 2, "OR FAIL").is_err());
        assert_eq!(state.take_changes().len(), 1);
    }

    #[test]
    fn a_materializers_rollback_loses_the_savepoint() {
        let mut state = pending();
        put(&state, 2, "b").unwrap();
        state.take_changes();
        assert!(put(&state, 1, "OR ROLLBACK").is_err());
        assert!(state.savepoint_lost());
        assert_eq!(state.rollback_pending().unwrap().len(), 1);
        assert!(!state.savepoint_lost());
    }

    #[test]
    fn many_rows_are_undone_as_a_whole() {
        let mut undo = PendingChanges::default();
        let inserted = |rowid| {
            let new = Some(crate::sqlite::Image { rowid, values: Box::new([]) });
            Change { table: 0, rows: Rows::One { old: None, new } }
        };
        (0..70_000).for_each(|rowid| undo.note(&[inserted(rowid)]));
        assert_eq!(undo.into_changes(), [Change { table: 0, rows: Rows::Unknown }]);
    }
}
