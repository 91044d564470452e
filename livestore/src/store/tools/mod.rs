//! What tools need of a store, whatever its schema: the devtools, an importer, a support page.
//!
//! [`Store::tools`] has all of it. Events are committed by their wire names, states are read with SQL,
//! and an [observation](Tools::observe) says what the store does. An app itself rarely needs any of this.
//! `livestore::inspect` looks at a store that is not open.

mod changes;
mod checkpoints;
mod commit;
mod line;
mod observe;
mod timeline;

use std::sync::Arc;
use std::time::Duration;

pub use changes::RowChange;
pub use commit::{CommitByNameError, NamedEvent};
pub use line::EventLine;
pub(in crate::store) use observe::Probe;
pub use observe::{Activity, Observation};
pub use timeline::Timeline;

use super::order::Order;
use super::{HistoryError, Inner, ReadError, Store};
use crate::error::Unavailable;
use crate::event::SeqNum;
use crate::eventlog::EventlogError;
use crate::schema::{Schema, SchemaDef};
use crate::session::Sessions;
use crate::state::{StateError, StateView};

/// A store, as tools see it, made by [`Store::tools`].
#[derive(Debug)]
pub struct Tools<'a, S> {
    store: &'a Store<S>,
}

/// The other sessions of a store's client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionRole {
    /// The session has the log, and this many others follow it.
    Leads {
        /// Their number.
        followers: usize,
    },
    /// Another session has the log.
    Follows,
}

/// A session of a store's client.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionInfo {
    /// Its id, as events have it that it commits.
    pub id: String,
    /// Whether it leads: it has the log, and the connection to the backend.
    pub leads: bool,
}

impl SessionInfo {
    pub(crate) fn all(sessions: &Sessions) -> Vec<Self> {
        let leader = Self { id: sessions.leader.to_string(), leads: true };
        let follower = |id: &Arc<str>| Self { id: id.to_string(), leads: false };
        [leader].into_iter().chain(sessions.followers.iter().map(follower)).collect()
    }
}

impl<S: Schema> Store<S> {
    /// Returns what tools need of this store.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::todos::*;
    /// # use std::ops::ControlFlow;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = Store::<App>::builder("todos").open()?;
    /// use livestore::tools::NamedEvent;
    ///
    /// let tools = store.tools();
    /// let args = r#"{"id":"a","text":"Milk","created_at":"2026-11-27T12:00:00.000Z"}"#;
    /// tools.commit(&[NamedEvent::new("v1.TodoCreated", args)])?;
    ///
    /// let mut texts = Vec::new();
    /// tools.state()?.query("SELECT text FROM todo")?.for_each(|row| {
    ///     texts.extend(row.iter().map(|value| format!("{value:?}")));
    ///     ControlFlow::Continue(())
    /// })?;
    /// assert_eq!(texts.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn tools(&self) -> Tools<'_, S> {
        Tools { store: self }
    }
}

impl<S: Schema> Tools<'_, S> {
    /// Returns the schema.
    pub fn schema(&self) -> &'static SchemaDef {
        self.store.inner.schema
    }

    /// Returns a copy of the present state, which later commits do not change.
    ///
    /// Copies the bytes of the state. While pending events have changed it, replays the events since the
    /// last snapshot instead.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub fn state(&self) -> Result<StateView, HistoryError> {
        let inner = &self.store.inner;
        let (head, copy) = {
            let mut slot = inner.core()?;
            let core = slot.as_mut().ok_or(Unavailable::Closed)?;
            (core.state.head, core.state.copy()?)
        };
        match copy {
            Some(state) => Ok(StateView::new(state, Some(inner.schema_hash))),
            None => self.timeline().at(head),
        }
    }

    /// Returns the states of the past.
    pub fn timeline(&self) -> Timeline {
        Timeline::new(&self.store.inner)
    }

    /// Returns the number of bytes of the state in memory.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn state_bytes(&self) -> Result<u64, ReadError> {
        Ok(self.store.inner.with_core(|core| core.state.size())??)
    }

    /// Returns the number of events in the log after `after`. Reads the numbers of all of them.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn count_events(&self, after: SeqNum) -> Result<u64, EventlogError> {
        self.store.inner.log()?.count(after)
    }

    /// Returns the number of the event that comes `count` events after `after`, or of the last one if
    /// there are fewer; `None` if there are none. Reads the numbers of those in between.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn skip_events(
        &self,
        after: SeqNum,
        count: usize,
    ) -> Result<Option<SeqNum>, EventlogError> {
        self.store.inner.log()?.skip(after, count)
    }

    /// Returns the number of the event behind which the last `count` events up to `up_to` come; `None` if
    /// there is none, as when there are no more than that. Reads the numbers of those in between.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn skip_events_back(
        &self,
        up_to: SeqNum,
        count: usize,
    ) -> Result<Option<SeqNum>, EventlogError> {
        self.store.inner.log()?.skip_back(up_to, count)
    }

    /// Calls `callback` with everything that the store does from now on, until the guard is dropped. It
    /// is called on the thread that does it, and should be quick. While anybody observes, commits,
    /// queries and materializers are timed, which takes a few readings of the clock each.
    pub fn observe(&self, callback: impl Fn(&Activity) + Send + Sync + 'static) -> Observation {
        Observation::begin(&self.store.inner.probe, Arc::new(callback))
    }

    /// Returns whether this session leads the sessions of its client.
    ///
    /// # Errors
    /// When the store is closed.
    pub fn role(&self) -> Result<SessionRole, ReadError> {
        Ok(self.store.inner.with_core(|core| match core.order.follows() {
            true => SessionRole::Follows,
            false => SessionRole::Leads {
                followers: core.hub.as_ref().map_or(0, |hub| hub.session_count()),
            },
        })?)
    }

    /// Returns the sessions of this store's client, the one that leads first. While another session is about
    /// to lead, this one knows of no others.
    ///
    /// # Errors
    /// When the store is closed.
    pub fn sessions(&self) -> Result<Vec<SessionInfo>, ReadError> {
        let inner = &self.store.inner;
        Ok(inner.with_core(|core| {
            let here = |leads| vec![SessionInfo { id: inner.session_id.to_string(), leads }];
            match (&core.order, &core.hub) {
                (Order::Leader(follower), _) => {
                    follower.sessions().map_or_else(|| here(false), SessionInfo::all)
                }
                (_, Some(hub)) => SessionInfo::all(&hub.sessions(&inner.session_id)),
                (_, None) => here(true),
            }
        })?)
    }

    /// Ends the connection to the backend as a network does that fails: the store connects again by
    /// itself. Does nothing in a session that follows.
    pub fn drop_connection(&self) {
        self.store.inner.drop_connection();
    }

    /// Has every message to and from the backend take this much longer, from now on. It is for trying out
    /// an app on a slow network. Does nothing in a session that follows.
    pub fn delay_messages(&self, delay: Duration) {
        self.store.inner.delay_messages(delay);
    }
}

impl Inner {
    /// The bytes of the present state, and the last event that it is made of.
    pub(in crate::store) fn present_bytes(
        self: &Arc<Self>,
    ) -> Result<(SeqNum, Vec<u8>), HistoryError> {
        let (head, bytes) = {
            let mut slot = self.core()?;
            let core = slot.as_mut().ok_or(Unavailable::Closed)?;
            (core.state.head, core.state.bytes().map_err(StateError::from)?)
        };
        match bytes {
            Some(bytes) => Ok((head, bytes)),
            // Pending events have changed it.
            None => {
                let mut state = Timeline::new(self).at(head)?;
                Ok((head, state.to_bytes().map_err(StateError::from)?))
            }
        }
    }
}
