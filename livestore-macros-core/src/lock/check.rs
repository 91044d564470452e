//! Compares what a macro declares with what the lock has recorded.

use livestore_shape::{Consequence, Difference, Lock, Shape, compare};
use proc_macro2::TokenStream;
use quote::quote;

use super::package::{Mode, Package};
use super::shapes::LockItem;
use super::{messages, outside_tests};
use crate::runtime::Runtime;

/// Expands to errors for breaking changes and a note for harmless ones; in accept mode, to a call that
/// writes the items to the lock.
pub(crate) fn expand(package: &Package, runtime: &Runtime, items: &[LockItem]) -> TokenStream {
    let tracking = package.tracking();
    if let Some(problem) = &package.problem {
        let error =
            items.first().filter(|_| is_first_report()).map(|item| error(&item.at, problem));
        return quote!(#tracking #error);
    }
    let result = match (package.mode, &package.recorded) {
        (Mode::Accept, _) => accept(package, runtime, items),
        (Mode::Check, None) => TokenStream::new(),
        (Mode::Frozen, None) => missing_lock(items),
        (_, Some(_)) => items.iter().map(|item| check(package, runtime, item)).collect(),
    };
    quote!(#tracking #result)
}

/// Whether a problem of the whole package has not been reported yet: one of its items does, not each.
fn is_first_report() -> bool {
    use std::sync::atomic::{AtomicBool, Ordering};
    static REPORTED: AtomicBool = AtomicBool::new(false);
    !REPORTED.swap(true, Ordering::Relaxed)
}

fn missing_lock(items: &[LockItem]) -> TokenStream {
    let first = items.first().filter(|_| is_first_report());
    first.map(|item| error(&item.at, messages::frozen_without_lock())).unwrap_or_default()
}

fn accept(package: &Package, runtime: &Runtime, items: &[LockItem]) -> TokenStream {
    let mut lock = Lock::default();
    for item in items {
        let mut shape = item.shape.clone();
        shape.head.marks.extend(package.mark.clone());
        lock.items.insert((item.kind, item.name.clone()), shape);
    }
    let text = lock.to_string();
    outside_tests(quote!(#runtime::schema_lock! { accept #text }))
}

fn check(package: &Package, runtime: &Runtime, item: &LockItem) -> TokenStream {
    let LockItem { kind, name, shape, .. } = item;
    let Some(recorded) = package.shape_of(*kind, name) else {
        return unrecorded(package, runtime, &item.at, &messages::new_item(*kind, name));
    };
    let differences = compare(*kind, &recorded, shape);
    let (breaking, harmless): (Vec<_>, Vec<_>) =
        differences.iter().partition(|difference| difference.consequence > Consequence::Additive);
    let mut code: TokenStream =
        breaking.iter().map(|difference| breaking_change(item, &recorded, difference)).collect();
    for difference in harmless {
        let change = messages::harmless(*kind, name, difference);
        code.extend(unrecorded(package, runtime, token_of(item, difference), &change));
    }
    code
}

fn breaking_change(item: &LockItem, recorded: &Shape, difference: &Difference) -> TokenStream {
    let text = messages::breaking(item.kind, &item.name, recorded, difference);
    error(token_of(item, difference), text)
}

/// The token to point at: the type of a field whose type changed, the name of a new field, and the
/// item itself for a field that is gone.
fn token_of<'a>(item: &'a LockItem, difference: &Difference) -> &'a TokenStream {
    use livestore_shape::ShapeChange::Retyped;
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

/// A change that is harmless, but not recorded in the lock yet.
fn unrecorded(package: &Package, runtime: &Runtime, at: &TokenStream, change: &str) -> TokenStream {
    let is_frozen = package.mode == Mode::Frozen;
    let text = messages::not_recorded(change, is_frozen);
    if is_frozen {
        return error(at, text);
    }
    outside_tests(quote!(#runtime::schema_lock! { note #text }))
}
