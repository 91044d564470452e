//! What a macro declares against what the lock has recorded.

use livestore_shape::{Difference, Effect, Lock, Shape, compare};
use proc_macro2::TokenStream;
use quote::quote;

use super::package::{Mode, Package};
use super::shapes::Item;
use super::{message, outside_tests};
use crate::runtime::Runtime;

/// Errors for what breaks, a note for what is new; told to accept, both are written down instead.
pub(crate) fn expand(package: &Package, runtime: &Runtime, items: &[Item]) -> TokenStream {
    let tracking = package.tracking();
    if let Some(problem) = &package.problem {
        let error = items.first().filter(|_| is_first_told()).map(|item| error(&item.at, problem));
        return quote!(#tracking #error);
    }
    let found = match (package.mode, &package.recorded) {
        (Mode::Accept, _) => accept(package, runtime, items),
        (Mode::Check, None) => TokenStream::new(),
        (Mode::Frozen, None) => no_lock(items),
        (_, Some(_)) => items.iter().map(|item| check(package, runtime, item)).collect(),
    };
    quote!(#tracking #found)
}

/// A problem of the package is told by one of its items, not by each.
fn is_first_told() -> bool {
    use std::sync::atomic::{AtomicBool, Ordering};
    static TOLD: AtomicBool = AtomicBool::new(false);
    !TOLD.swap(true, Ordering::Relaxed)
}

fn no_lock(items: &[Item]) -> TokenStream {
    let first = items.first().filter(|_| is_first_told());
    first.map(|item| error(&item.at, message::NO_LOCK)).unwrap_or_default()
}

fn accept(package: &Package, runtime: &Runtime, items: &[Item]) -> TokenStream {
    let mut lock = Lock::default();
    for item in items {
        let mut shape = item.shape.clone();
        shape.head.marks.extend(package.mark.clone());
        lock.items.insert((item.kind, item.name.clone()), shape);
    }
    let text = lock.to_string();
    outside_tests(quote!(#runtime::schema_lock! { accept #text }))
}

fn check(package: &Package, runtime: &Runtime, item: &Item) -> TokenStream {
    let Item { kind, name, shape, .. } = item;
    let Some(recorded) = package.shape_of(*kind, name) else {
        return drift(package, runtime, &item.at, &message::unrecorded(*kind, name));
    };
    let differences = compare(*kind, &recorded, shape);
    let (breaking, additive): (Vec<_>, Vec<_>) =
        differences.iter().partition(|difference| difference.effect > Effect::Additive);
    let mut found: TokenStream =
        breaking.iter().map(|difference| breaks(item, &recorded, difference)).collect();
    for difference in additive {
        let text = message::drift(*kind, name, difference);
        found.extend(drift(package, runtime, token_of(item, difference), &text));
    }
    found
}

fn breaks(item: &Item, recorded: &Shape, difference: &Difference) -> TokenStream {
    let text = message::breaking(item.kind, &item.name, recorded, difference);
    error(token_of(item, difference), text)
}

/// A field of another type is wrong at its type, a new one at its name, a lost one at the event's.
fn token_of<'a>(item: &'a Item, difference: &Difference) -> &'a TokenStream {
    use livestore_shape::Change::Retyped;
    let part = difference.part.as_ref().and_then(|part| item.parts.get(part));
    match (part, &difference.change) {
        (Some((_, ty)), Retyped { .. }) => ty,
        (Some((ident, _)), _) => ident,
        (None, _) => &item.at,
    }
}

fn error(at: &TokenStream, text: impl std::fmt::Display) -> TokenStream {
    outside_tests(syn::Error::new_spanned(at, text).to_compile_error())
}

/// A change that the lock does not have yet.
fn drift(package: &Package, runtime: &Runtime, at: &TokenStream, change: &str) -> TokenStream {
    let is_frozen = package.mode == Mode::Frozen;
    let text = message::behind(change, is_frozen);
    if is_frozen {
        return error(at, text);
    }
    outside_tests(quote!(#runtime::schema_lock! { note #text }))
}
