//! Reading the eventlog.

use std::collections::VecDeque;
use std::fmt;
use std::ops::{Bound, RangeBounds};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::tail::{Tail, TailStatus};
use super::{Inner, Store};
use crate::event::{EncodedEvent, SeqNum};
use crate::eventlog::{Eventlog, EventlogError, PAGE, PAGE_BYTES, Pages, is_after};
use crate::schema::Schema;

impl<S: Schema> Store<S> {
    /// Returns the events of the log, in order: all of them, or those that the methods of
    /// [`Events`] select.
    ///
    /// Pending events that are rebased during the iteration may appear again, with their new
    /// numbers; [`confirmed`](Events::confirmed) ones appear once.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # fn print<S: Schema>(store: &Store<S>) -> livestore::Result<()> {
    /// for event in store.events().after(SeqNum::new(100)).named("v1.TodoCreated") {
    ///     let event = event?;
    ///     println!("{} {}", event.seq, event.args);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn events(&self) -> Events {
        Events {
            inner: Arc::downgrade(&self.inner),
            tail: Arc::clone(&self.inner.tail),
            wanted: Wanted::ALL,
        }
    }
}

/// The place after every event.
const LAST: SeqNum = SeqNum { global: u64::MAX, client: u64::MAX, generation: 0 };

/// A selection of the log's events, made by [`Store::events`]. Iterate over it to read them.
pub struct Events {
    inner: Weak<Inner>,
    tail: Arc<Tail>,
    wanted: Wanted,
}

#[derive(Debug, Clone)]
struct Wanted {
    after: SeqNum,
    to: Option<SeqNum>,
    /// Only confirmed ones, or only pending ones.
    is_confirmed: Option<bool>,
    names: Vec<String>,
}

impl Wanted {
    const ALL: Self = Self { after: SeqNum::ROOT, to: None, is_confirmed: None, names: Vec::new() };

    fn has(&self, event: &EncodedEvent) -> bool {
        let is_named = self.names.is_empty() || self.names.iter().any(|name| *name == event.name);
        is_named && (self.is_confirmed != Some(true) || event.refusal().is_none())
    }
}

impl Events {
    /// Selects events after this one.
    #[must_use]
    pub fn after(mut self, seq: SeqNum) -> Self {
        self.wanted.after = seq;
        self
    }

    /// Selects events of this range of global numbers, such as `5..=9`.
    #[must_use]
    pub fn range(mut self, globals: impl RangeBounds<u64>) -> Self {
        let last_of = |global| SeqNum { client: u64::MAX, ..SeqNum::new(global) };
        self.wanted.after = match globals.start_bound() {
            Bound::Unbounded | Bound::Included(0) => SeqNum::ROOT,
            Bound::Included(first) => last_of(first - 1),
            Bound::Excluded(before) => last_of(*before),
        };
        self.wanted.to = match globals.end_bound() {
            Bound::Unbounded => None,
            Bound::Included(last) => Some(last_of(*last)),
            Bound::Excluded(0) => Some(SeqNum::ROOT),
            Bound::Excluded(end) => Some(last_of(end - 1)),
        };
        self
    }

    /// Selects events whose place in the order is final. Without a sync backend, those are all. Events
    /// that the backend has [refused](EncodedEvent::refusal) for good are not among them.
    #[must_use]
    pub fn confirmed(mut self) -> Self {
        self.wanted.is_confirmed = Some(true);
        self
    }

    /// Selects events that have no place in the sync backend's order yet.
    #[must_use]
    pub fn pending(mut self) -> Self {
        self.wanted.is_confirmed = Some(false);
        self
    }

    /// Selects events with this wire name; call it again for several names.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.wanted.names.push(name.into());
        self
    }

    /// Returns all of these events, and then new ones as they are committed. It is an iterator,
    /// which blocks while there is no new event, and a `Stream`, which does not. With a sync
    /// backend, an event appears once it is confirmed, because its place is final only then. It
    /// ends when the store is closed, or when the log has an event beyond the range.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::todos::*;
    /// # fn main() -> livestore::Result<()> {
    /// # let store = Store::<App>::builder("todos").open()?;
    /// let mut events = store.events().named("v1.TodoCompleted").follow();
    /// let background = std::thread::spawn(move || events.next());
    /// store.commit(TodoEvent::Completed { id: "a".into() })?;
    /// let completed = background.join().unwrap().unwrap()?;
    /// assert_eq!(completed.args, r#"{"id":"a"}"#);
    /// # Ok(())
    /// # }
    /// ```
    pub fn follow(self) -> Follow {
        let Self { inner, tail, wanted } = self.confirmed();
        Follow { inner, tail, at: wanted.after, wanted, page: VecDeque::new(), through: false }
    }
}

impl IntoIterator for Events {
    type Item = Result<EncodedEvent, EventlogError>;
    type IntoIter = EventsIter;

    fn into_iter(self) -> EventsIter {
        let open = || {
            let log = self.inner.upgrade().ok_or(EventlogError::Closed)?.log()?;
            let (mut after, mut to) = (self.wanted.after, self.wanted.to.unwrap_or(LAST));
            let confirmed = self.tail.head();
            match self.wanted.is_confirmed {
                Some(true) if is_after(to, confirmed) => to = confirmed,
                Some(false) if is_after(confirmed, after) => after = confirmed,
                _ => {}
            }
            Ok(log.pages(after, to))
        };
        EventsIter {
            pages: Some(open()),
            wanted: self.wanted.clone(),
            page: Vec::new().into_iter(),
        }
    }
}

/// An iterator over events, which reads them page by page. It ends after an error.
pub struct EventsIter {
    pages: Option<Result<Pages, EventlogError>>,
    wanted: Wanted,
    page: std::vec::IntoIter<EncodedEvent>,
}

impl EventsIter {
    /// All events of a log.
    pub(super) fn all(log: &Eventlog) -> Self {
        let pages = log.pages(SeqNum::ROOT, LAST);
        Self { pages: Some(Ok(pages)), wanted: Wanted::ALL, page: Vec::new().into_iter() }
    }
}

impl Iterator for EventsIter {
    type Item = Result<EncodedEvent, EventlogError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(event) = self.page.by_ref().find(|event| self.wanted.has(event)) {
                // Whether its command stands beside it depends on who has read it: equal events are equal.
                return Some(Ok(EncodedEvent { command: None, ..event }));
            }
            let next = match self.pages.as_mut()? {
                Ok(pages) => pages.next_page(),
                Err(error) => Err(error.clone()),
            };
            match next {
                Ok(page) if page.is_empty() => self.pages = None,
                Ok(page) => self.page = page.into_iter(),
                Err(error) => {
                    self.pages = None;
                    return Some(Err(error));
                }
            }
        }
    }
}

/// An iterator over events, including new ones. It does not keep the store open.
pub struct Follow {
    inner: Weak<Inner>,
    tail: Arc<Tail>,
    wanted: Wanted,
    at: SeqNum,
    page: VecDeque<EncodedEvent>,
    /// No more events follow: the range ends here, or the store is closed.
    through: bool,
}

impl Follow {
    /// Returns the next event, if the log has it already.
    pub fn try_next(&mut self) -> Option<Result<EncodedEvent, EventlogError>> {
        if self.through && self.page.is_empty() {
            return None;
        }
        loop {
            while let Some(event) = self.page.pop_front() {
                self.at = event.seq;
                if self.wanted.has(&event) {
                    return Some(Ok(event));
                }
            }
            match self.read() {
                Ok(()) if self.page.is_empty() => return None,
                Ok(()) => {}
                Err(error) => {
                    self.through = true;
                    return (error != EventlogError::Closed).then_some(Err(error));
                }
            }
        }
    }

    fn read(&mut self) -> Result<(), EventlogError> {
        let log = self.inner.upgrade().ok_or(EventlogError::Closed)?.log()?;
        let mut page = log.read_within(self.at, PAGE, PAGE_BYTES)?;
        let end = self.tail.head();
        page.retain(|event| !is_after(event.seq, end));
        if let Some(to) = self.wanted.to {
            self.through = page.last().is_some_and(|event| event.seq > to);
            page.retain(|event| event.seq <= to);
        }
        self.page = page.into();
        Ok(())
    }
}

#[cfg(not(target_family = "wasm"))]
impl Iterator for Follow {
    type Item = Result<EncodedEvent, EventlogError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(next) = self.try_next() {
                return Some(next);
            }
            if self.through || self.tail.wait(self.at) == TailStatus::Closed {
                return None;
            }
        }
    }
}

impl Stream for Follow {
    type Item = Result<EncodedEvent, EventlogError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(next) = self.try_next() {
                return Poll::Ready(Some(next));
            }
            if self.through || ready!(self.tail.poll(self.at, context)) == TailStatus::Closed {
                return Poll::Ready(None);
            }
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Events").field(&self.wanted).finish()
    }
}

impl fmt::Debug for EventsIter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EventsIter").field(&self.wanted).finish()
    }
}

impl fmt::Debug for Follow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follow").field("at", &self.at).field("wanted", &self.wanted).finish()
    }
}
