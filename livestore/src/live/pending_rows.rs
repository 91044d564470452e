//! The rows that depend on pending events.
//!
//! While somebody asks for them, the rows of a table are captured, and each change is noted with the last event
//! of its commit. When that is confirmed, the row is forgotten.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Weak};

use super::chunked::SharedChunks;
use super::signal::{Signal, signal};
use crate::event::SeqNum;
use crate::sqlite::{Change, Image, Rows};
use crate::table::{IntoKey, Table, TableDef};
use crate::value::Value;

/// The rows of the table `T` that depend on events which are not confirmed yet:
/// [`Store::pending_rows`](crate::Store::pending_rows) returns them.
pub struct PendingRows<T> {
    keys: Arc<PendingKeys>,
    of: PhantomData<fn() -> T>,
}

/// A primary key, as bytes.
type Key = Arc<[u8]>;

/// Primary keys. A copy shares what is not changed afterwards, so that a commit costs the same however many rows
/// are pending.
#[derive(Clone, Default)]
pub(crate) struct PendingKeys {
    /// In order.
    keys: SharedChunks<Key>,
    /// Some rows have changed, and it is not known which.
    is_unknown: bool,
}

impl PendingKeys {
    fn search(&self, key: &[u8]) -> Result<usize, usize> {
        self.keys.search(|known| (**known).cmp(key))
    }

    fn insert(&mut self, key: &Key) {
        if let Err(index) = self.search(key) {
            self.keys.insert(index, Arc::clone(key));
        }
    }

    fn remove(&mut self, key: &Key) {
        if let Ok(index) = self.search(key) {
            self.keys.remove(index);
        }
    }
}

impl PartialEq for PendingKeys {
    fn eq(&self, other: &Self) -> bool {
        let Self { keys, is_unknown } = other;
        self.is_unknown == *is_unknown
            && self.keys.len() == keys.len()
            && self.keys.iter().eq(keys.iter())
    }
}

impl Eq for PendingKeys {}

impl fmt::Debug for PendingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_unknown {
            true => f.write_str("unknown"),
            false => write!(f, "{} keys", self.keys.len()),
        }
    }
}

impl<T: Table> PendingRows<T> {
    pub(crate) fn new(keys: Arc<PendingKeys>) -> Self {
        Self { keys, of: PhantomData }
    }

    /// Returns whether a pending event has inserted, changed or deleted the row with this primary key.
    ///
    /// Where it is not known which rows an event has changed, as in a table with more than 60 columns, it is
    /// true of every row as long as the event is pending.
    pub fn contains<K: IntoKey<T::Key>>(&self, key: K) -> bool {
        // No row has a key without an SQL form.
        let contains = |key: Vec<Value<'_>>| self.keys.search(&bytes_of(key.iter())).is_ok();
        self.keys.is_unknown || key.into_key().is_ok_and(contains)
    }

    /// Returns whether no row of the table depends on pending events.
    pub fn is_empty(&self) -> bool {
        !self.keys.is_unknown && self.keys.keys.len() == 0
    }
}

impl<T> PartialEq for PendingRows<T> {
    fn eq(&self, other: &Self) -> bool {
        self.keys == other.keys
    }
}

impl<T> Eq for PendingRows<T> {}

impl<T> Clone for PendingRows<T> {
    fn clone(&self) -> Self {
        Self { keys: Arc::clone(&self.keys), of: PhantomData }
    }
}

impl<T> fmt::Debug for PendingRows<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = f.debug_struct("PendingRows");
        match self.keys.is_unknown {
            true => rows.finish_non_exhaustive(),
            false => rows.field("count", &self.keys.keys.len()).finish(),
        }
    }
}

/// The pending rows of the tables that somebody asks for.
#[derive(Debug, Default)]
pub(crate) struct PendingTracker {
    tables: Vec<Tracked>,
}

/// A table whose pending rows somebody asks for.
#[derive(Debug)]
struct Tracked {
    /// The table's position in the schema.
    position: usize,
    def: &'static TableDef,
    signal: Signal<Arc<PendingKeys>>,
    /// What those who ask have.
    user: Weak<()>,
    /// By the last event of their commits, in order. `None` stands for rows that are not known.
    rows: VecDeque<(SeqNum, Option<Key>)>,
    /// How often each is in `rows`.
    counts: HashMap<Option<Key>, usize>,
    /// What is in `rows`.
    keys: PendingKeys,
    /// Whether that has changed since it was published.
    is_changed: bool,
}

/// A table is tracked as long as there is one of these.
pub(crate) struct Tracking {
    pub(crate) keys: Signal<Arc<PendingKeys>>,
    pub(crate) user: Arc<()>,
    /// Whether it was not tracked before: its rows have to be found.
    pub(crate) is_new: bool,
}

impl PendingTracker {
    pub(crate) fn is_on(&self) -> bool {
        !self.tables.is_empty()
    }

    pub(crate) fn track(&mut self, position: usize, def: &'static TableDef) -> Tracking {
        let known = self.tables.iter().find(|table| table.position == position);
        if let Some((table, user)) = known.and_then(|table| Some((table, table.user.upgrade()?))) {
            return Tracking { keys: table.signal.clone(), user, is_new: false };
        }
        self.tables.retain(|table| table.position != position);
        let (user, keys) = (Arc::new(()), signal(Arc::default()));
        let (signal, user_of) = (keys.clone(), Arc::downgrade(&user));
        self.tables.push(Tracked {
            position,
            def,
            signal,
            user: user_of,
            rows: VecDeque::new(),
            counts: HashMap::new(),
            keys: PendingKeys::default(),
            is_changed: false,
        });
        Tracking { keys, user, is_new: true }
    }

    /// Ends tracking the tables that nobody asks for any more. Returns their positions.
    pub(crate) fn remove_unused(&mut self) -> Vec<usize> {
        let is_unused = |table: &Tracked| table.user.strong_count() == 0;
        let unused: Vec<_> = self
            .tables
            .iter()
            .filter(|table| is_unused(table))
            .map(|table| table.position)
            .collect();
        self.tables.retain(|table| !is_unused(table));
        unused
    }

    /// Notes what a pending commit, which ends with the event `last`, has changed.
    pub(crate) fn note(&mut self, last: SeqNum, changes: &[Change]) {
        for Change { table, rows } in changes {
            let Some(tracked) = self.tables.iter_mut().find(|known| known.position == *table)
            else {
                continue;
            };
            match rows {
                Rows::Unknown => tracked.add(last, None),
                Rows::One { old, new } => {
                    let mut keys: Vec<_> =
                        [old, new].into_iter().flatten().map(|image| tracked.key(image)).collect();
                    keys.dedup();
                    keys.into_iter().for_each(|key| tracked.add(last, Some(key.into())));
                }
            }
        }
    }

    /// Notes that a pending commit has changed rows, nobody knows which.
    pub(crate) fn note_unknown(&mut self, last: SeqNum) {
        self.tables.iter_mut().for_each(|table| table.add(last, None));
    }

    /// Forgets the rows whose events are confirmed: those up to this one.
    pub(crate) fn confirm(&mut self, confirmed: SeqNum) {
        self.tables.iter_mut().for_each(|table| table.confirm(confirmed));
    }

    /// Forgets all rows: what is pending is applied again.
    pub(crate) fn clear(&mut self) {
        self.tables.iter_mut().for_each(Tracked::clear);
    }

    /// Makes the rows visible; who has subscribed is notified once no lock is held.
    pub(crate) fn publish(&mut self) {
        for table in &mut self.tables {
            if std::mem::take(&mut table.is_changed) {
                table.signal.set_in_lock(Arc::new(table.keys.clone()));
            }
        }
    }
}

impl Tracked {
    fn add(&mut self, last: SeqNum, key: Option<Key>) {
        let count = self.counts.entry(key.clone()).or_default();
        *count += 1;
        if *count == 1 {
            match &key {
                Some(key) => self.keys.insert(key),
                None => self.keys.is_unknown = true,
            }
            self.is_changed = true;
        }
        self.rows.push_back((last, key));
    }

    fn confirm(&mut self, confirmed: SeqNum) {
        let place = |seq: SeqNum| (seq.global, seq.client);
        let count = self.rows.partition_point(|(last, _)| place(*last) <= place(confirmed));
        for (_, key) in self.rows.drain(..count) {
            let Entry::Occupied(mut left) = self.counts.entry(key) else { continue };
            *left.get_mut() -= 1;
            if *left.get() == 0 {
                match left.remove_entry().0 {
                    Some(key) => self.keys.remove(&key),
                    None => self.keys.is_unknown = false,
                }
                self.is_changed = true;
            }
        }
    }

    fn clear(&mut self) {
        self.rows.clear();
        self.counts.clear();
        self.keys = PendingKeys::default();
        self.is_changed = true;
    }

    fn key(&self, image: &Image) -> Box<[u8]> {
        key_bytes(self.def, image)
    }
}

/// The primary key of a row as bytes, which are equal if the keys are.
pub(crate) fn key_bytes(def: &TableDef, image: &Image) -> Box<[u8]> {
    let columns = def.primary_key().iter();
    bytes_of(columns.filter_map(|&column| image.values.get(column)))
}

/// The values as bytes, which are equal if the values are.
fn bytes_of<'v>(values: impl Iterator<Item = &'v Value<'v>>) -> Box<[u8]> {
    let mut bytes = Vec::new();
    let mut put = |kind: u8, value: &[u8]| {
        bytes.push(kind);
        bytes.extend((value.len() as u64).to_le_bytes());
        bytes.extend(value);
    };
    for value in values {
        match value {
            Value::Null => put(0, &[]),
            Value::Integer(value) => put(1, &value.to_le_bytes()),
            Value::Real(value) => put(2, &value.to_bits().to_le_bytes()),
            Value::Text(value) => put(3, value.as_bytes()),
            Value::Blob(value) => put(4, value),
        }
    }
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::Reactive;
    use crate::prelude::*;

    #[table]
    struct Item {
        #[column(primary_key)]
        id: i64,
    }

    crate::schema! { App { tables: [Item] } }

    fn tracker() -> (PendingTracker, Tracking) {
        let mut tracker = PendingTracker::default();
        let tracking = tracker.track(0, Item::def());
        (tracker, tracking)
    }

    fn inserted(id: i64) -> Change {
        let image = Image { rowid: id, values: [Value::Integer(id)].into() };
        Change { table: 0, rows: Rows::One { old: None, new: Some(image) } }
    }

    fn pending(tracker: &mut PendingTracker, tracking: &Tracking) -> Vec<i64> {
        tracker.publish();
        let rows = PendingRows::<Item>::new((*tracking.keys.get()).clone());
        (0..5).filter(|id| rows.contains(*id)).collect()
    }

    #[test]
    fn a_row_is_pending_as_long_as_one_of_its_events_is() {
        let (mut tracker, tracking) = tracker();
        for (event, id) in [(1, 1), (2, 2), (3, 1), (4, 3)] {
            tracker.note(SeqNum::new(event), &[inserted(id)]);
        }
        for (confirmed, expected) in
            [(0, vec![1, 2, 3]), (1, vec![1, 2, 3]), (2, vec![1, 3]), (3, vec![3]), (9, vec![])]
        {
            tracker.confirm(SeqNum::new(confirmed));
            assert_eq!(pending(&mut tracker, &tracking), expected, "e{confirmed}");
        }
    }

    /// Counts what a commit copies of 10,000 pending rows: each copy of a key is one more reference to it.
    #[test]
    fn a_commit_copies_few_of_the_rows_that_are_pending() {
        let (mut tracker, tracking) = tracker();
        for id in 0..10_000_i64 {
            tracker.note(SeqNum::new(id.cast_unsigned() + 1), &[inserted(id)]);
        }
        tracker.publish();
        let references =
            |keys: &PendingKeys| -> usize { keys.keys.iter().map(Arc::strong_count).sum() };
        let published = || (*tracking.keys.get()).clone();
        let before = published();
        let referred = references(&before);
        tracker.note(SeqNum::new(10_001), &[inserted(20_000)]);
        tracker.publish();
        let after = published();
        assert_eq!((before.keys.len(), after.keys.len()), (10_000, 10_001));
        let copied = references(&before) - referred;
        assert!((1..=64).contains(&copied), "{copied} of 10,000 are copied");

        // What changes no row that is not pending already is not published.
        tracker.note(SeqNum::new(10_002), &[inserted(20_000)]);
        tracker.publish();
        assert!(Arc::ptr_eq(&after, &published()));
    }

    #[test]
    fn a_client_only_event_is_confirmed_with_the_event_before_it() {
        let (mut tracker, tracking) = tracker();
        let client_only = SeqNum { client: 1, ..SeqNum::new(3) };
        tracker.note(SeqNum::new(3), &[inserted(1)]);
        tracker.note(client_only, &[inserted(2)]);
        tracker.confirm(SeqNum::new(3));
        assert_eq!(pending(&mut tracker, &tracking), [2]);
        tracker.confirm(client_only);
        assert_eq!(pending(&mut tracker, &tracking), [0; 0]);
    }

    #[test]
    fn rows_that_are_not_known_are_all_rows() {
        let (mut tracker, tracking) = tracker();
        tracker.note(SeqNum::new(1), &[Change { table: 0, rows: Rows::Unknown }]);
        tracker.note(SeqNum::new(2), &[inserted(3), Change { table: 1, rows: Rows::Unknown }]);
        assert_eq!(pending(&mut tracker, &tracking), [0, 1, 2, 3, 4]);
        tracker.confirm(SeqNum::new(1));
        assert_eq!(pending(&mut tracker, &tracking), [3]);
    }

    #[test]
    fn a_table_is_tracked_while_somebody_asks() {
        let (mut tracker, tracking) = tracker();
        assert!(tracking.is_new && !tracker.track(0, Item::def()).is_new);
        assert_eq!(tracker.remove_unused(), [0; 0]);
        drop(tracking);
        assert_eq!((tracker.remove_unused(), tracker.is_on()), (vec![0], false));
    }
}
