//! Committing events by their wire names.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::Tools;
use crate::event::DecodeError;
use crate::schema::{BatchEntry, Schema};
use crate::store::{CommitError, Committed, Receipt, Store};

/// An event by its wire name, with its args as JSON; an event without args has none, an empty text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamedEvent {
    /// The wire name.
    pub name: String,
    /// The args, as JSON, or nothing.
    pub args: String,
}

impl NamedEvent {
    /// Returns the event.
    pub fn new(name: impl Into<String>, args: impl Into<String>) -> Self {
        Self { name: name.into(), args: args.into() }
    }
}

/// Why events could not be committed by name.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitByNameError {
    /// The schema has no such event, or reads it only where it is in the log already.
    #[error("the schema has no event \"{name}\" that can be committed")]
    UnknownEvent {
        /// The wire name.
        name: String,
    },
    /// The args are not those of the event.
    #[error("\"{name}\" does not have these args")]
    Args {
        /// The wire name.
        name: String,
        /// The reason.
        source: DecodeError,
    },
    /// The events could not be committed.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl<S: Schema> Store<S> {
    /// Commits events by their wire names, as one commit, as [`commit`](Self::commit) does: for the parts of an
    /// app that are not written in Rust, such as a page in a web view. The schema checks names and args.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::todos::*;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = Store::<App>::builder("todos").open()?;
    /// use livestore::tools::{CommitByNameError, NamedEvent};
    ///
    /// let args = r#"{"id":"a","text":"Milk","created_at":"2026-11-27T12:00:00.000Z"}"#;
    /// store.commit_by_name(&[NamedEvent::new("v1.TodoCreated", args)])?;
    /// assert_eq!(store.query(Todo::get("a"))?.unwrap().text, "Milk");
    ///
    /// let refused = store.commit_by_name(&[NamedEvent::new("v1.TodoCreated", "{}")]);
    /// assert!(matches!(refused, Err(CommitByNameError::Args { .. })));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`CommitByNameError`]. If it fails, nothing has happened.
    pub fn commit_by_name(&self, events: &[NamedEvent]) -> Result<Receipt, CommitByNameError> {
        self.commit_with(|_| self.tools().entries(events))
    }
}

impl<S: Schema> Tools<'_, S> {
    /// Commits events by their wire names, as one commit. They have the session id
    /// [`session_id`](Self::session_id).
    ///
    /// # Errors
    /// See [`CommitByNameError`]. If it fails, nothing has happened.
    pub fn commit(&self, events: &[NamedEvent]) -> Result<Committed, CommitByNameError> {
        let entries = self.entries(events)?;
        let author = self.author().filter(|_| !self.follows());
        Ok(self.store.inner.commit_as(author.as_ref(), entries)?.into_committed())
    }

    /// Returns the session id that events have which [`commit`](Self::commit) commits: one of a window
    /// called `devtools`, or the session's own in a session that follows another one.
    pub fn session_id(&self) -> Arc<str> {
        let own = || Arc::clone(&self.store.inner.session_id);
        self.author().filter(|_| !self.follows()).unwrap_or_else(own)
    }

    fn entries(&self, events: &[NamedEvent]) -> Result<Vec<BatchEntry>, CommitByNameError> {
        events.iter().map(|event| self.entry(event)).collect()
    }

    fn entry(&self, event: &NamedEvent) -> Result<BatchEntry, CommitByNameError> {
        let NamedEvent { name, args } = event;
        let unknown = || CommitByNameError::UnknownEvent { name: name.clone() };
        let schema = self.schema();
        let def = schema.events().find(|def| def.name() == name).ok_or_else(unknown)?;
        let set = *schema.event_set(name).ok_or_else(unknown)?;
        let refused = |source| CommitByNameError::Args { name: name.clone(), source };
        if !args.is_empty() {
            serde_json::from_str::<&RawValue>(args)
                .map_err(|error| DecodeError::NotAnObject { reason: error.to_string() })
                .map_err(refused)?;
        }
        let args = args.trim().to_owned();
        set.decode(name, &args).map_err(refused)?;
        Ok(BatchEntry { def, args, set })
    }

    /// The session's id, of another window.
    fn author(&self) -> Option<Arc<str>> {
        let (_, unique) = self.store.inner.session_id.rsplit_once('~')?;
        Some(format!("devtools~{unique}").into())
    }

    fn follows(&self) -> bool {
        self.store.inner.with_core(|core| core.order.follows()).unwrap_or(false)
    }
}
