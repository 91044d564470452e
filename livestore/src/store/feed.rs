//! Feeds: they bring a [`Target`] up to date, row by row.
//!
//! A feed has a state of its own, at exactly the place in history where its target is, and applies the log's
//! next events to it. So a commit pays nothing for it, the store's lock is free while a target is written,
//! and the changes between any two places are exact, of confirmed events alone, too.

use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::tail::{Tail, TailStatus};
use super::target::{Cursor, RowChange, Target};
use super::{Inner, Store, WeakStore};
use crate::error::Unavailable;
use crate::event::{EncodedEvent, SeqNum};
use crate::eventlog::{Eventlog, EventlogError, PAGE, is_after};
use crate::live::key_bytes;
use crate::schema::{HasTable, Schema};
use crate::sqlite::{Change, Image, Rows};
use crate::state::{Replay, ReplayError, Snapshot, State, StateError};
use crate::table::{Query, QueryError, Row, RowError, RowReader, Table, TableDef};

/// Brings a [`Target`] up to date with a store: [`Store::feed`] and [`Store::confirmed_feed`] make it.
///
/// It does nothing by itself: call [`update`](Self::update) after [`changed`](Self::changed), in a task or on a
/// thread of your own. It does not keep the store open.
pub struct Feed<S, T> {
    store: WeakStore<S>,
    tail: Arc<Tail>,
    target: T,
    /// Whether pending events are left out.
    only_confirmed: bool,
    /// The table's position in the schema.
    position: usize,
    /// `None` until the state is made, and when it has to be made anew.
    place: Option<Place>,
    /// The changes that the target does not have yet.
    unwritten: Vec<Change>,
    /// Whether the target has to get all rows.
    must_replace: bool,
    /// The cursor that the target has.
    cursor: Option<Cursor>,
    /// The number of changes of the log when it was read last.
    seen: u64,
}

/// Why a target is not up to date.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError<E: std::error::Error + 'static> {
    /// The target could not be read or written.
    #[error(transparent)]
    Target(E),
    /// The store is closed.
    #[error("the store is closed; open it again")]
    Closed,
    /// A materializer used the feed.
    #[error("a materializer used a feed; use `state`, the argument of `materialize`, instead")]
    InMaterializer,
    /// The feed was used by code that the store calls while it works.
    #[error("the feed was used by code that its store calls while it works; use it afterwards")]
    Reentrant,
    /// The eventlog could not be read.
    #[error(transparent)]
    Eventlog(#[from] EventlogError),
    /// The feed's state could not be made.
    #[error(transparent)]
    State(#[from] StateError),
    /// The rows could not be read.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A row could not be read.
    #[error(transparent)]
    Row(#[from] RowError),
}

/// A state, and the log that it is of.
struct Place {
    state: State,
    /// As in `Core`.
    histories: u64,
    /// As in `Core`.
    rebases: u64,
}

/// The log as it is at some time.
struct Now {
    log: Eventlog,
    snapshot: Option<Snapshot>,
    max_state_bytes: u64,
    confirmed: SeqNum,
    /// The last event for this feed.
    head: SeqNum,
    /// As in `Core`.
    histories: u64,
    /// As in `Core`.
    rebases: u64,
    /// Whether the log's file has the pending events as they are here.
    leads: bool,
}

impl<S: Schema> Store<S> {
    /// Returns a feed of the rows of a table as this store has them, those of pending events included. When
    /// events are rebased, the target gets what that changes.
    ///
    /// [`Target`] has an example. The feed has a state of its own, in memory; if the log is long, the first
    /// [`update`](Feed::update) takes as long as opening the store.
    ///
    /// # Errors
    /// When the target's cursor cannot be read.
    pub fn feed<T: Target>(&self, target: T) -> Result<Feed<S, T>, FeedError<T::Error>>
    where
        S: HasTable<T::Row>,
    {
        self.make_feed(target, false)
    }

    /// Returns a feed of the rows that follow from confirmed events alone: for a target that others read, who
    /// must not see what may be rebased.
    ///
    /// ```
    /// # use livestore::store::{Cursor, RowChange, Target};
    /// # use std::convert::Infallible;
    /// # struct Count(usize);
    /// # impl Target for Count {
    /// #     type Row = Note;
    /// #     type Error = Infallible;
    /// #     fn cursor(&mut self) -> Result<Option<Cursor>, Infallible> { Ok(None) }
    /// #     fn replace(&mut self, rows: Vec<Note>, _: &Cursor) -> Result<(), Infallible> {
    /// #         self.0 = rows.len();
    /// #         Ok(())
    /// #     }
    /// #     fn apply(&mut self, changes: Vec<RowChange<Note>>, _: &Cursor) -> Result<(), Infallible> {
    /// #         for change in changes {
    /// #             self.0 += usize::from(change.after().is_some());
    /// #             self.0 -= usize::from(change.before().is_some());
    /// #         }
    /// #         Ok(())
    /// #     }
    /// # }
    /// use livestore_testing::Clients;
    /// use livestore_testing::sample::notes::{App, Note, added};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let clients = Clients::<App>::new();
    /// let store = clients.open("alice")?;
    /// let (mut all, mut confirmed) = (store.feed(Count(0))?, store.confirmed_feed(Count(0))?);
    /// store.offline();
    /// store.commit(added("a"))?;
    /// all.update()?;
    /// confirmed.update()?;
    /// assert_eq!((all.target().0, confirmed.target().0), (1, 0));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the target's cursor cannot be read.
    pub fn confirmed_feed<T: Target>(&self, target: T) -> Result<Feed<S, T>, FeedError<T::Error>>
    where
        S: HasTable<T::Row>,
    {
        self.make_feed(target, true)
    }

    fn make_feed<T: Target>(
        &self,
        mut target: T,
        only_confirmed: bool,
    ) -> Result<Feed<S, T>, FeedError<T::Error>>
    where
        S: HasTable<T::Row>,
    {
        let cursor = target.cursor().map_err(FeedError::Target)?;
        let is_ours = |def: &TableDef| std::ptr::eq(def, T::Row::def());
        Ok(Feed {
            store: self.downgrade(),
            tail: Arc::clone(&self.inner.tail),
            target,
            only_confirmed,
            position: self.inner.schema.tables().position(is_ours).unwrap_or(usize::MAX),
            place: None,
            unwritten: Vec::new(),
            must_replace: false,
            cursor,
            seen: 0,
        })
    }
}

impl<S: Schema, T: Target> Feed<S, T>
where
    S: HasTable<T::Row>,
{
    /// Brings the target up to date with what the store has now. Returns whether there was something to write.
    ///
    /// # Errors
    /// See [`FeedError`]. Call it again when the reason is gone: nothing is left out.
    pub fn update(&mut self) -> Result<bool, FeedError<T::Error>> {
        let store = self.store.upgrade().ok_or(FeedError::Closed)?;
        loop {
            self.seen = self.tail.changes();
            let now = self.look(&store.inner)?;
            let advanced = self.advance(&store.inner, &now);
            // Events may have been rebased while they were read.
            let later = self.look(&store.inner)?;
            if (later.rebases, later.histories) == (now.rebases, now.histories) {
                advanced?;
                return self.write(&store.inner, &now);
            }
        }
    }

    /// Waits, without blocking the thread, until the store has changed since the last
    /// [`update`](Self::update), whether or not the change matters to the target. Returns whether the store is
    /// still open. It needs no particular runtime.
    pub async fn changed(&self) -> bool {
        poll_fn(|context| self.poll_changed(context)).await
    }

    /// Polls for what [`changed`](Self::changed) waits for.
    pub fn poll_changed(&self, context: &mut Context<'_>) -> Poll<bool> {
        let status = self.tail.poll_changes(self.seen, context);
        status.map(|status| status == TailStatus::Advanced)
    }

    /// Has the target get all rows with the next [`update`](Self::update): for one that has lost something.
    pub fn replace_all(&mut self) {
        self.must_replace = true;
    }

    fn look(&self, store: &Inner) -> Result<Now, FeedError<T::Error>> {
        let slot = store.core()?;
        let core = slot.as_ref().ok_or(Unavailable::Closed)?;
        let confirmed = core.confirmed_head();
        let head = core.state.head;
        Ok(Now {
            log: core.log.clone(),
            snapshot: core.snapshots.as_ref().map(|snapshots| snapshots.snapshot().clone()),
            max_state_bytes: core.max_state_bytes,
            confirmed,
            head: if self.only_confirmed { confirmed } else { head },
            histories: core.histories,
            rebases: core.rebases,
            leads: !core.order.follows(),
        })
    }

    /// Brings the feed's state to where the log is now, and notes what that changes.
    fn advance(&mut self, store: &Inner, now: &Now) -> Result<(), FeedError<T::Error>> {
        // It is put back if all goes well.
        let place = self.place.take().filter(|place| place.histories == now.histories);
        let mut place = match place {
            Some(place) => place,
            None => self.begin(store, now)?,
        };
        if !place.advance(now, &mut self.unwritten)? {
            place = self.make(store, now, now.head)?;
            self.must_replace = true;
        }
        place.rebases = now.rebases;
        self.place = Some(place);
        Ok(())
    }

    /// Makes the state that the target has, if its cursor is one of this log. If not, the target gets all rows.
    fn begin(&mut self, store: &Inner, now: &Now) -> Result<Place, FeedError<T::Error>> {
        let at = self.cursor.as_ref().and_then(Cursor::seq);
        let at = at.filter(|at| !self.must_replace && !is_after(*at, now.head));
        let is_known = match at {
            Some(at) => now.cursor(store, at)? == self.cursor,
            None => false,
        };
        self.must_replace |= !is_known;
        self.unwritten.clear();
        let at = at.filter(|_| is_known).unwrap_or(now.head);
        self.make(store, now, at)
    }

    fn make(&self, store: &Inner, now: &Now, at: SeqNum) -> Result<Place, FeedError<T::Error>> {
        let confirmed = if is_after(at, now.confirmed) { now.confirmed } else { at };
        let read =
            |snapshot: &Snapshot| snapshot.read(store.schema, confirmed, &mut |_, _| ()).ok();
        let mut state = match now.snapshot.as_ref().and_then(read) {
            Some((state, _)) => state,
            None => State::empty(store.schema)?,
        };
        state.limit(now.max_state_bytes).map_err(StateError::from)?;
        Replay::new(&now.log).run(&mut state, confirmed)?;
        state.watch_tables(|table| table == self.position).map_err(StateError::from)?;
        if is_after(at, confirmed) {
            Replay::new(&now.log).run_pending(&mut state, at)?;
            state.watch_tables(|table| table == self.position).map_err(StateError::from)?;
        }
        // They lead to where the target is.
        drop(state.take_changes());
        Ok(Place { state, histories: now.histories, rebases: now.rebases })
    }

    fn write(&mut self, store: &Inner, now: &Now) -> Result<bool, FeedError<T::Error>> {
        let Some(place) = &self.place else { return Ok(false) };
        // They are needed again if the target cannot be written.
        self.unwritten = Change::net(std::mem::take(&mut self.unwritten));
        self.unwritten.retain(|change| change.table == self.position);
        self.must_replace |= self.unwritten.iter().any(|it| matches!(it.rows, Rows::Unknown));
        let changes = by_key(&self.unwritten, T::Row::def());
        let cursor = match now.cursor(store, place.state.head)? {
            Some(cursor) => cursor,
            None => Cursor::new(place.state.head, "in memory"),
        };
        let written = if self.must_replace {
            let rows = T::Row::all().run(&place.state.reader(&store.window_id))?;
            self.target.replace(rows, &cursor)
        } else if changes.is_empty() && self.cursor.as_ref() == Some(&cursor) {
            return Ok(false);
        } else {
            let decoded = changes.into_iter().filter_map(row_change).collect::<Result<_, _>>();
            self.target.apply(decoded?, &cursor)
        };
        written.map_err(FeedError::Target)?;
        self.unwritten.clear();
        (self.must_replace, self.cursor) = (false, Some(cursor));
        Ok(true)
    }
}

impl<S, T> Feed<S, T> {
    /// Returns the target.
    pub fn target(&self) -> &T {
        &self.target
    }

    /// Returns the target, to be changed.
    pub fn target_mut(&mut self) -> &mut T {
        &mut self.target
    }

    /// Returns the target, and ends the feed.
    pub fn into_target(self) -> T {
        self.target
    }
}

impl Place {
    /// Applies what the log has behind the state. Returns whether that worked; if not, the state has to be made
    /// anew.
    fn advance(&mut self, now: &Now, changes: &mut Vec<Change>) -> Result<bool, ReplayError> {
        let state = &mut self.state;
        let is_rebased = self.rebases != now.rebases;
        if is_rebased && is_after(state.base(), now.confirmed) {
            // What was confirmed is not any more: the log has taken it back.
            return Ok(false);
        }
        if is_rebased && is_after(state.head, state.base()) {
            changes.extend(state.rollback_pending()?);
        } else if !is_after(state.head, now.confirmed) {
            state.confirm_pending()?;
        }
        let has_pending = is_after(state.head, state.base());
        if !has_pending && !apply_log(state, &now.log, now.confirmed, changes)? {
            return Ok(false);
        }
        if is_after(now.head, state.head) {
            if !has_pending {
                state.begin_pending()?;
            }
            if !apply_log(state, &now.log, now.head, changes)? {
                return Ok(false);
            }
        }
        // It has events that the log has taken back.
        Ok(!is_after(state.head, now.head))
    }
}

/// Applies the log's events up to `to`. Returns whether the state is what they make it.
fn apply_log(
    state: &mut State,
    log: &Eventlog,
    to: SeqNum,
    changes: &mut Vec<Change>,
) -> Result<bool, ReplayError> {
    if !is_after(to, state.head) {
        return Ok(true);
    }
    let mut replay = Replay::new(log);
    // Nearly always they are few, and need no thread that reads ahead.
    let page: Vec<EncodedEvent> = log.read(state.head, PAGE)?;
    let is_end = |event: &EncodedEvent| !is_after(to, event.seq);
    match page.iter().position(is_end) {
        Some(last) => replay.apply(state, page.get(..=last).unwrap_or_default())?,
        None => {
            replay.run(state, to)?;
        }
    }
    changes.extend(state.take_changes());
    Ok(!replay.is_broken() && !state.savepoint_lost())
}

impl Now {
    /// Returns the cursor of the event `at`, unless the log cannot say what comes before it.
    fn cursor(&self, store: &Inner, at: SeqNum) -> Result<Option<Cursor>, EventlogError> {
        // The file of a log that another session writes may have other pending events.
        if !self.leads && is_after(at, self.confirmed) {
            return Ok(None);
        }
        let fingerprint = self.log.fingerprint(at)?;
        Ok(fingerprint.map(|it| {
            let schema = store.schema_hash.cast_unsigned();
            let checksum = it.checksum.cast_unsigned();
            let identity = format!("{schema:x} {checksum:x} {} {}", it.history_id, it.store_id);
            Cursor::new(at, &identity)
        }))
    }
}

/// A row before and after a change, each unless there is none.
type BeforeAndAfter<'c> = (Option<&'c Image>, Option<&'c Image>);

/// Returns what has become of each row, by its primary key, in the order in which they are first named. SQLite's
/// row ids are no names: a row that is deleted and inserted again has changed, or not even that; and what gets
/// the row id of another row is still a different row.
fn by_key<'c>(changes: &'c [Change], def: &TableDef) -> Vec<BeforeAndAfter<'c>> {
    let mut places = HashMap::new();
    let mut rows: Vec<BeforeAndAfter<'c>> = Vec::with_capacity(changes.len());
    let mut row = |image: &'c Image, set: fn(&mut BeforeAndAfter<'c>, &'c Image)| {
        let place = *places.entry(key_bytes(def, image)).or_insert(rows.len());
        if place == rows.len() {
            rows.push((None, None));
        }
        if let Some(row) = rows.get_mut(place) {
            set(row, image);
        }
    };
    for change in changes {
        let Rows::One { old, new } = &change.rows else { continue };
        if let Some(old) = old {
            row(old, |row, old| row.0 = Some(old));
        }
        if let Some(new) = new {
            row(new, |row, new| row.1 = Some(new));
        }
    }
    let values = |image: Option<&'c Image>| image.map(|image| &image.values);
    rows.retain(|(old, new)| values(*old) != values(*new));
    rows
}

/// Returns the change with rows of the app's type. `None` if it changes nothing.
fn row_change<R: Row>((old, new): BeforeAndAfter<'_>) -> Option<Result<RowChange<R>, RowError>> {
    let decode = |image: &Image| R::decode(&RowReader::of_values(&image.values, None));
    match (old, new) {
        (Some(before), Some(after)) => Some(
            decode(before)
                .and_then(|before| Ok(RowChange::Updated { before, after: decode(after)? })),
        ),
        (None, Some(after)) => Some(decode(after).map(RowChange::Inserted)),
        (Some(before), None) => Some(decode(before).map(RowChange::Deleted)),
        (None, None) => None,
    }
}

impl<E: std::error::Error + 'static> From<Unavailable> for FeedError<E> {
    fn from(error: Unavailable) -> Self {
        match error {
            Unavailable::Closed => Self::Closed,
            Unavailable::InMaterializer => Self::InMaterializer,
            Unavailable::Reentrant => Self::Reentrant,
        }
    }
}

impl<E: std::error::Error + 'static> From<ReplayError> for FeedError<E> {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Eventlog(error) => Self::Eventlog(error),
            ReplayError::State(error) => Self::State(error),
        }
    }
}

impl<S, T: fmt::Debug> fmt::Debug for Feed<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed")
            .field("target", &self.target)
            .field("cursor", &self.cursor)
            .finish_non_exhaustive()
    }
}
