//! Reading an older event as a newer one. Generated code calls it; see `#[event(upcast(..))]`.

#![allow(clippy::indexing_slicing, reason = "const fns have no iterators; all indexes are bounded")]

use std::fmt::Display;

use super::{Args, DecodeError, Event, EventDef};
use crate::schema::same;

/// What an upcaster may return: the newer event, or a `Result` of it.
#[diagnostic::on_unimplemented(
    message = "an upcaster of `{E}` cannot return `{Self}`",
    label = "returns something else",
    note = "return `{E}`, or `Result<{E}, _>` when an older event may have no newer form"
)]
pub trait UpcastInto<E> {
    /// The newer event.
    ///
    /// # Errors
    /// In the upcaster's words.
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

/// The definition called `name` of the type that the upcaster takes.
///
/// # Panics
/// While compiling, when there is none, or when only one of the two is client-only.
#[expect(clippy::panic, reason = "this is how a const says no to the compiler")]
#[track_caller]
pub const fn upcast_source<O: Event, R>(
    name: &str,
    client_only: bool,
    _: fn(O) -> R,
) -> &'static EventDef {
    let mut n = 0;
    while n < O::DEFS.len() {
        let def = &O::DEFS[n];
        if same(def.name(), name) {
            assert!(
                def.is_client_only() == client_only,
                "one of the two events is client-only and the other is not: make them the same"
            );
            return def;
        }
        // After an error in the older type, which has been told.
        if def.name().is_empty() {
            return def;
        }
        n += 1;
    }
    panic!("the upcaster's argument is no event of this name: give it the type that declares it")
}

/// Whether events called `name` come in through the upcaster of events called `from`.
pub fn reads_upcast<O: Event, R>(from: &str, _: fn(O) -> R, name: &str) -> bool {
    let source = O::DEFS.iter().find(|def| def.name() == from);
    source.is_some_and(|def| def.with_upcasts().any(|def| def.name() == name))
}

/// Decodes an older event and makes a newer one of it.
///
/// # Errors
/// When the args do not decode, or the upcaster says so.
pub fn upcast<O: Event, R: UpcastInto<E>, E>(
    with: fn(O) -> R,
    name: &str,
    args: &Args<'_>,
) -> Result<E, DecodeError> {
    let upcasted = with(O::decode(name, args)?).into_event();
    upcasted.map_err(|reason| DecodeError::Upcast { name: name.to_owned(), reason })
}
