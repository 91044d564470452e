//! Values that can be committed to a schema's stores.

use super::{EventSet, Listed, Materialize, Schema};
use crate::event::{EncodeError, Event, EventDef, Subject, encode};

/// A value that can be committed to a store of schema `S`: an event that `S` lists, a reference to one, or an
/// array, slice, `Vec`, `Option` or tuple of such. All of it is committed, or nothing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be committed to a store of `{S}`",
    label = "not an event of `{S}`",
    note = "list it in `schema!`: an event under `events: […]`, a client document under `documents: […]`"
)]
pub trait Commit<S: Schema> {
    /// Adds the events to the batch.
    ///
    /// # Errors
    /// When an event has no JSON form.
    fn encode(self, batch: &mut Batch<'_>) -> Result<(), EncodeBatchError>;
}

/// The events of one commit, encoded.
#[derive(Debug)]
pub struct Batch<'a> {
    window_id: &'a str,
    pub(crate) entries: Vec<BatchEntry>,
}

/// One encoded event.
#[derive(Debug)]
pub(crate) struct BatchEntry {
    pub(crate) def: &'static EventDef,
    pub(crate) args: String,
    pub(crate) set: EventSet,
}

/// An event that has no JSON form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {event} cannot be encoded")]
pub struct EncodeBatchError {
    /// The event's wire name.
    pub event: &'static str,
    /// The reason.
    pub source: EncodeError,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(window_id: &'a str) -> Self {
        Self { window_id, entries: Vec::new() }
    }

    /// Adds an event.
    ///
    /// # Errors
    /// When it has no JSON form.
    pub fn push<E: Event + Materialize>(&mut self, event: &E) -> Result<(), EncodeBatchError> {
        let def = event.def();
        let args = encode(event, self.window_id)
            .map_err(|source| EncodeBatchError { event: def.name(), source })?;
        self.entries.push(BatchEntry { def, args, set: <Subject<E> as Listed<E>>::EVENTS });
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl<S: Schema, E: Commit<S> + Materialize> Commit<S> for &E {
    fn encode(self, batch: &mut Batch<'_>) -> Result<(), EncodeBatchError> {
        batch.push(self)
    }
}

#[diagnostic::do_not_recommend]
impl<'a, S: Schema, E> Commit<S> for &'a [E]
where
    &'a E: Commit<S>,
{
    fn encode(self, batch: &mut Batch<'_>) -> Result<(), EncodeBatchError> {
        self.iter().try_for_each(|event| event.encode(batch))
    }
}

#[diagnostic::do_not_recommend]
impl<'a, S: Schema, E> Commit<S> for &'a Vec<E>
where
    &'a E: Commit<S>,
{
    fn encode(self, batch: &mut Batch<'_>) -> Result<(), EncodeBatchError> {
        self.as_slice().encode(batch)
    }
}

#[diagnostic::do_not_recommend]
impl<S: Schema, E: Commit<S>> Commit<S> for Vec<E> {
    fn encode(self, batch: &mut Batch<'_>) -> Result<(), EncodeBatchError> {
        self.into_iter().try_for_each(|event| event.encode(batch))
    }
}

#[diagnostic::do_not_recommend]
impl<S: Schema, E: Commit<S>, const N: usize> Commit<S> for [E; N] {
    fn encode(self, batch: &mut Batch<'_>) -> Result<(), EncodeBatchError> {
        self.into_iter().try_for_each(|event| event.encode(batch))
    }
}

#[diagnostic::do_not_recommend]
impl<S: Schema, E: Commit<S>> Commit<S> for Option<E> {
    fn encode(self, batch: &mut Batch<'_>) -> Result<(), EncodeBatchError> {
        self.map_or(Ok(()), |event| event.encode(batch))
    }
}

macro_rules! tuple_commits {
    ($(($($E:ident $index:tt),+))*) => {$(
        #[diagnostic::do_not_recommend]
        impl<S: Schema, $($E: Commit<S>),+> Commit<S> for ($($E,)+) {
            fn encode(self, batch: &mut Batch<'_>) -> Result<(), EncodeBatchError> {
                $(self.$index.encode(batch)?;)+
                Ok(())
            }
        }
    )*};
}

tuple_commits! {
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
}
