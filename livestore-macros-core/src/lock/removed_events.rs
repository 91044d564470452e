//! Finds events that the lock has and the schema no longer has.
//!
//! Only when all macros have run is it known which names are declared, and where. So this expands to
//! one assertion per recorded name, located at the type that declared it.

use std::collections::{BTreeMap, BTreeSet};

use livestore_shape::{ItemKind, Lock, Shape};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::Type;

use super::package::{Mode, Package};
use super::shapes::READS;
use super::{messages, outside_tests};
use crate::expand::{located_at, schema_event_defs};
use crate::parse::names;
use crate::parse::schema::SchemaItem;
use crate::types::stable_text;

pub(crate) fn expand(package: &Package, schema: &SchemaItem) -> TokenStream {
    let (Mode::Check | Mode::Frozen, Some(lock)) = (package.mode, &package.recorded) else {
        return TokenStream::new();
    };
    let listed = RecordedTypes::of(lock, &names::plain(&schema.ident));
    let names = with_older(lock, lock.of(ItemKind::Event).filter(|(_, shape)| listed.has(shape)));
    let (types, sets): (Vec<_>, Vec<_>) = schema_event_defs(schema).unzip();
    let asserts = names.iter().map(|(name, shape)| assert(schema, &types, name, shape));
    let asserts: TokenStream = asserts.collect();
    if asserts.is_empty() {
        return TokenStream::new();
    }
    let runtime = &schema.runtime;
    outside_tests(quote_spanned! {Span::mixed_site()=>
        #[allow(deprecated)]
        const _: () = {
            const ALL: &[&[#runtime::EventDef]] = &[#(#sets),*];
            #asserts
        };
    })
}

/// Returns these events, and the older ones that are read as them.
fn with_older<'a>(
    lock: &'a Lock,
    events: impl Iterator<Item = (&'a str, &'a Shape)>,
) -> BTreeMap<&'a str, &'a Shape> {
    let mut found = BTreeMap::new();
    let mut queue: Vec<_> = events.collect();
    while let Some((name, shape)) = queue.pop() {
        let older = shape.head.marks.iter().filter_map(|mark| mark.strip_prefix(READS));
        // Two that read each other would not compile; a lock may still say so.
        if found.insert(name, shape).is_none() {
            queue
                .extend(older.filter_map(|older| Some((older, lock.get(ItemKind::Event, older)?))));
        }
    }
    found
}

/// An assertion at the type that declared the event, if that is still listed, or else at the schema.
fn assert(schema: &SchemaItem, types: &[&Type], name: &str, shape: &Shape) -> TokenStream {
    let owner = owner(&shape.head.text);
    let position = types.iter().position(|ty| last_name(&stable_text(ty)) == owner);
    let span = match position.and_then(|position| types.get(position)) {
        Some(ty) => located_at(ty),
        None => located_at(&schema.ident),
    };
    let text = messages::removed(name);
    let likely = position.unwrap_or(0);
    let runtime = schema.runtime.located_at(span);
    let function = Ident::new("assert_recorded_event", span);
    quote_spanned!(span=> const _: () = #runtime::#function(#name, ALL, #likely, #text);)
}

/// The types that a schema listed when it was recorded, by the last segment of their path, which is how
/// the lock names them at their events.
struct RecordedTypes(BTreeSet<String>);

impl RecordedTypes {
    /// Leaves out a name that is ambiguous, because another schema lists a different type of that name.
    fn of(lock: &Lock, schema: &str) -> Self {
        let parts = lock.get(ItemKind::Schema, schema).map(|shape| shape.parts.keys());
        let own: Vec<_> = parts.into_iter().flatten().collect();
        let others = lock.of(ItemKind::Schema).flat_map(|(_, shape)| shape.parts.keys());
        let others: Vec<_> = others.filter(|path| !own.contains(path)).collect();
        let is_clear =
            |path: &&String| !others.iter().any(|other| last_name(other) == last_name(path));
        Self(own.into_iter().filter(|path| is_clear(path)).map(|path| last_name(path)).collect())
    }

    fn has(&self, shape: &Shape) -> bool {
        self.0.contains(&owner(&shape.head.text))
    }
}

/// Returns `TodoEvent` for `TodoEvent::Created`.
fn owner(label: &str) -> String {
    label.split("::").next().unwrap_or_default().to_owned()
}

/// Returns `TodoEvent` for `models::TodoEvent<T>`.
fn last_name(path: &str) -> String {
    let path = path.split('<').next().unwrap_or_default();
    path.rsplit("::").next().unwrap_or_default().to_owned()
}
