//! Undo: the events that undo an event.

use super::{Batch, BatchEntry, Commit, Materialize, Schema};
use crate::error::ErrorChain;
use crate::event::{EventDef, decode};
use crate::table::{QueryError, Reader};

/// An event that can be undone: it says which events do that.
///
/// List the type in `schema!` under `undo: […]`, and [`Store::undo`](crate::Store::undo) undoes what this session
/// has committed.
///
/// ```
/// use livestore::prelude::*;
///
/// #[table]
/// #[derive(Debug)]
/// pub struct Note { #[column(primary_key)] pub id: String, pub text: String }
///
/// #[derive(Event)]
/// pub enum NoteEvent {
///     #[event(name = "v1.NoteWritten")]
///     Written { id: String, text: String },
///     #[event(name = "v1.NoteRemoved")]
///     Removed { id: String },
/// }
///
/// impl Materialize for NoteEvent {
///     fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
///         match self {
///             Self::Written { id, text } => {
///                 state.upsert(&Note { id: id.clone(), text: text.clone() })
///             }
///             Self::Removed { id } => state.run(Note::delete().filter(Note::ID.eq(id))),
///         }
///     }
/// }
///
/// impl Undo for NoteEvent {
///     type Events = Option<Self>;
///
///     fn undo(&self, before: &Reader<'_>) -> Result<Option<Self>, QueryError> {
///         let (Self::Written { id, .. } | Self::Removed { id }) = self;
///         Ok(match (self, before.query(Note::get(id))?) {
///             (_, Some(Note { id, text })) => Some(Self::Written { id, text }),
///             (Self::Written { id, .. }, None) => Some(Self::Removed { id: id.clone() }),
///             (Self::Removed { .. }, None) => None,      // it changes nothing
///         })
///     }
/// }
///
/// livestore::schema! { App { tables: [Note], events: [NoteEvent], undo: [NoteEvent] } }
///
/// # fn main() -> livestore::Result<()> {
/// let store = Store::<App>::builder("notes").open()?;
/// let write = |text: &str| NoteEvent::Written { id: "a".into(), text: text.into() };
/// store.commit(write("Hello"))?;
/// store.commit(write("Goodbye"))?;
/// store.undo()?;
/// assert_eq!(store.query(Note::get("a"))?.unwrap().text, "Hello");
/// store.undo()?;
/// assert!(store.query(Note::get("a"))?.is_none());
/// store.redo()?;
/// assert_eq!(store.query(Note::get("a"))?.unwrap().text, "Hello");
/// # Ok(())
/// # }
/// ```
///
/// # What to return
///
/// The events that restore, in the state right behind the event, what `before` had: as little as possible, so
/// that what others change elsewhere stays as it is. To restore a text, set the text; do not write the row
/// again. There may be none, if the event changes nothing, or cannot be undone.
///
/// List the types of these events under `undo`, too. Then what is undone can be [done
/// again](crate::Store::redo), and undo notices what others have changed: to undo an event, the store asks what
/// *would undo the events that undo it*, once behind the commit and once when it is undone. If the answers
/// differ, the events would overwrite something that has changed since, and undo
/// [says so](crate::store::UndoError::Changed).
///
/// As a materializer and a command, it has only the event and the state: no clock, no randomness, no store.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what undoes it",
    label = "`impl Undo for {Self}` is missing",
    note = "write `impl Undo for {Self}`: from the event and the state before it to the events that undo it"
)]
pub trait Undo: Materialize {
    /// The events that undo it: anything that can be committed, such as an event, an `Option` of one, or a
    /// `Vec`.
    type Events;

    /// Returns the events that undo this one, which is about to be applied to the state `before`.
    ///
    /// # Errors
    /// When a query fails. The event is not committed then.
    fn undo(&self, before: &Reader<'_>) -> Result<Self::Events, QueryError>;
}

/// A type of events that a schema can undo, by events that it lists. For generated code.
#[diagnostic::on_unimplemented(
    message = "a store of `{S}` cannot undo `{Self}`",
    label = "cannot be listed under `undo`",
    note = "list it in `schema!` under `events: […]`, too, and so the events that undo it"
)]
pub trait UndoIn<S: Schema>: Undo<Events: Commit<S>> + Commit<S> {}

/// What undoes the events of one type.
#[derive(Debug, Clone, Copy)]
pub struct UndoDef {
    defs: &'static [EventDef],
    undo: fn(&Undone<'_>) -> Result<Vec<BatchEntry>, String>,
}

/// An event, and the state before it.
struct Undone<'a> {
    name: &'a str,
    args: &'a str,
    before: &'a Reader<'a>,
}

impl UndoDef {
    /// What undoes the events of a type. For generated code. Were it a constant of [`UndoIn`], a bound of that trait
    /// that a type does not meet would be an error here, too.
    #[doc(hidden)]
    pub const fn of<S: Schema, E: UndoIn<S>>() -> Self {
        Self { defs: E::DEFS, undo: undo::<S, E> }
    }

    /// The definition of the event called `name`, if it is of this type.
    pub(crate) fn event(&self, name: &str) -> Option<&'static EventDef> {
        self.defs.iter().find_map(|def| def.called(name))
    }

    /// Returns the events that undo this one, or the reason why they are not known.
    pub(crate) fn undo(
        &self,
        name: &str,
        args: &str,
        before: &Reader<'_>,
    ) -> Result<Vec<BatchEntry>, String> {
        (self.undo)(&Undone { name, args, before })
    }
}

fn undo<S: Schema, E: UndoIn<S>>(undone: &Undone<'_>) -> Result<Vec<BatchEntry>, String> {
    let Undone { name, args, before } = undone;
    let event = decode::<E>(name, args).map_err(|error| reason(&error))?;
    let events = event.undo(before).map_err(|error| reason(&error))?;
    let mut batch = Batch::new(before.window_id());
    events.encode(&mut batch).map_err(|error| reason(&error))?;
    Ok(batch.entries)
}

fn reason(error: &(dyn std::error::Error + 'static)) -> String {
    ErrorChain::new(error).to_string()
}
