//! Events: the things that can happen, and their encoding.
//!
//! A type that implements [`Event`] (by `#[derive(Event)]`) has one wire name per kind of event and
//! encodes its args as the JSON LiveStore would write. Wire names and the shape of args are
//! forever: a log written today is read by every later version.

mod args;
mod command;
mod commits;
mod encoded;
mod round_trip;
mod seq_num;
mod session;
mod undo;
mod upcast;

pub use args::{Args, ArgsWriter, DecodeError, EncodeError, FieldDeserializer, FieldSerializer};
#[doc(hidden)]
pub use args::{ArgsField, Lossless, MaybeLossless, Same, SameByValue, SameJson, Subject};
pub(crate) use command::PendingCommand;
pub use command::{Conflict, WithdrawnEvent};
pub(crate) use commits::{commits, last_commit};
pub use encoded::EncodedEvent;
pub(crate) use round_trip::{decode, encode};
pub use seq_num::{ParseSeqNumError, SeqNum};
pub(crate) use session::{is_session_id, new_session_id, window_of};
pub(crate) use undo::{
    CommitId, EventText, Hash, UndoChange, UndoCommit, UndoNotes, UndoPlace, UndoStep, Way,
};
#[doc(hidden)]
pub use upcast::{UpcastInto, Upcaster, upcaster};

/// A type whose values are events.
///
/// Derive it; the derive's documentation lists the attributes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "not an event",
    note = "add `#[derive(Event)]` to the type"
)]
pub trait Event: Sized {
    /// The event definitions of this type: one per variant, or one for a struct.
    const DEFS: &'static [EventDef];

    /// The definition this value belongs to.
    fn def(&self) -> &'static EventDef;

    /// Writes the args.
    ///
    /// # Errors
    /// When a field has no JSON form.
    fn encode(&self, args: &mut ArgsWriter<'_>) -> Result<(), EncodeError>;

    /// Reads the event called `name`.
    ///
    /// # Errors
    /// When `name` is not one of [`DEFS`](Self::DEFS) or the args are not what it takes.
    fn decode(name: &str, args: &Args<'_>) -> Result<Self, DecodeError>;

    /// Returns the first field that is not equal in `read`, which has the same JSON. For generated code.
    #[doc(hidden)]
    fn changed_field(&self, read: &Self) -> Option<&'static str> {
        let _ = read;
        None
    }
}

/// The definition of one kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventDef {
    name: &'static str,
    fields: &'static [&'static str],
    client_only: bool,
    deprecated: Option<&'static str>,
    shape: &'static str,
    upcasts: &'static [&'static EventDef],
    is_lossless: bool,
}

impl EventDef {
    /// A synced event called `name` on the wire, with args of these fields.
    pub const fn new(name: &'static str, fields: &'static [&'static str]) -> Self {
        Self {
            name,
            fields,
            client_only: false,
            deprecated: None,
            shape: "",
            upcasts: &[],
            is_lossless: false,
        }
    }

    /// Sets the types of the fields, as the schema lock writes them.
    #[must_use]
    pub const fn shaped(mut self, shape: &'static str) -> Self {
        self.shape = shape;
        self
    }

    /// Events of these definitions are read as this one.
    #[must_use]
    pub const fn reading(mut self, upcasts: &'static [&'static EventDef]) -> Self {
        self.upcasts = upcasts;
        self
    }

    /// Says whether every value is read from its JSON as it was written, as far as the types of the
    /// fields show. For generated code.
    #[doc(hidden)]
    #[must_use]
    pub const fn lossless(mut self, is_lossless: bool) -> Self {
        self.is_lossless = is_lossless;
        self
    }

    /// The event stays on its client: it is logged, never pushed.
    #[must_use]
    pub const fn client_only(mut self) -> Self {
        self.client_only = true;
        self
    }

    /// The event should no longer be committed; `reason` says what to commit instead.
    #[must_use]
    pub const fn deprecated(mut self, reason: &'static str) -> Self {
        self.deprecated = Some(reason);
        self
    }

    /// The wire name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The names of the args' fields, as they stand in the JSON.
    pub const fn fields(&self) -> &'static [&'static str] {
        self.fields
    }

    /// Whether the event never leaves its client.
    pub const fn is_client_only(&self) -> bool {
        self.client_only
    }

    /// The types of the fields, one to a line, as `livestore.lock` has them.
    pub const fn shape(&self) -> &'static str {
        self.shape
    }

    /// The older events that are read as this one. They may have older ones of their own.
    pub const fn upcasts(&self) -> &'static [&'static EventDef] {
        self.upcasts
    }

    /// This definition and all older ones that are read through it.
    pub(crate) fn with_upcasts(&'static self) -> Box<dyn Iterator<Item = &'static Self>> {
        let older = self.upcasts.iter().flat_map(|older| older.with_upcasts());
        Box::new(std::iter::once(self).chain(older))
    }

    /// This definition or the older one that is read through it and has this name.
    pub(crate) fn called(&'static self, name: &str) -> Option<&'static Self> {
        match self.name == name {
            true => Some(self),
            false => self.upcasts.iter().find_map(|older| older.called(name)),
        }
    }

    /// Whether an event need not be read back to know that it is read as it was written.
    pub(crate) const fn is_lossless(&self) -> bool {
        self.is_lossless
    }

    /// Why the event should no longer be committed, if so.
    pub const fn deprecation(&self) -> Option<&'static str> {
        self.deprecated
    }
}

/// Whether two names are equal: `==` cannot be called in a const.
#[expect(clippy::indexing_slicing, reason = "const fns have no iterators; all indexes are bounded")]
pub(crate) const fn const_eq(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    let mut n = 0;
    while n < left.len() {
        if left[n] != right[n] {
            return false;
        }
        n += 1;
    }
    true
}
