//! Reading an older event as a newer one. Generated code calls it; see `#[event(upcast(..))]`.

#![allow(clippy::indexing_slicing, reason = "const fns have no iterators; all indexes are bounded")]

use std::fmt::Display;

use super::{Args, DecodeError, Event, EventDef, const_eq};

/// A return type of an upcaster: the newer event, or a `Result` of it.
#[diagnostic::on_unimplemented(
    message = "an upcaster of `{E}` cannot return `{Self}`",
    label = "returns something else",
    note = "return `{E}`, or `Result<{E}, _>` when an older event may have no newer form"
)]
pub trait UpcastInto<E> {
    /// The newer event.
    ///
    /// # Errors
    /// When the upcaster returns an error: its message.
    fn into_event(self) -> Result<E, String>;
}

impl<E: Event> UpcastInto<E> for E {
    fn into_event(self) -> Result<E, String> {
        Ok(self)
    }
}

impl<E, X: Display> UpcastInto<E> for Result<E, X> {
    fn into_event(self) -> Result<E, String> {
        self.map_err(|error| error.to_string())
    }
}

/// A function from an older event to a newer one. Its argument and its result are checked in one
/// place, [`upcaster`], so that a wrong type gives one error.
#[derive(Debug)]
pub struct Upcaster<E, O, R> {
    defs: &'static [EventDef],
    read: fn(&str, &Args<'_>) -> Result<O, DecodeError>,
    with: fn(O) -> R,
    result: fn(R) -> Result<E, String>,
}

/// Takes the function.
pub const fn upcaster<E, O: Event, R: UpcastInto<E>>(with: fn(O) -> R) -> Upcaster<E, O, R> {
    Upcaster { defs: O::DEFS, read: O::decode, with, result: R::into_event }
}

impl<E, O, R> Upcaster<E, O, R> {
    /// The definition called `name` of the type that the function takes.
    ///
    /// # Panics
    /// While compiling, when there is none, or when only one of the two is client-only.
    #[expect(clippy::panic, reason = "this is how a const says no to the compiler")]
    #[track_caller]
    pub const fn source(self, name: &str, client_only: bool) -> &'static EventDef {
        let mut n = 0;
        while n < self.defs.len() {
            let def = &self.defs[n];
            if const_eq(def.name(), name) {
                assert!(
                    def.is_client_only() == client_only,
                    "one of the two events is client-only and the other is not: make them the same"
                );
                return def;
            }
            // The older type has an error, which has been reported.
            if def.name().is_empty() {
                return def;
            }
            n += 1;
        }
        panic!("the type that the upcaster takes has no event of this name")
    }

    /// Whether events called `name` come in through the one called `from`.
    pub fn reads(&self, from: &str, name: &str) -> bool {
        let source = self.defs.iter().find(|def| def.name() == from);
        source.is_some_and(|def| def.with_upcasts().any(|def| def.name() == name))
    }

    /// Decodes an older event and makes a newer one of it.
    ///
    /// # Errors
    /// When the args do not decode, or the function says so.
    pub fn decode(self, name: &str, args: &Args<'_>) -> Result<E, DecodeError> {
        let upcasted = (self.result)((self.with)((self.read)(name, args)?));
        upcasted.map_err(|reason| DecodeError::Upcast { name: name.to_owned(), reason })
    }
}
