//! Events that the lock has and the schema has not.
//!
//! Where an event's name is declared is only known once all macros have run, so this becomes an
//! assertion for each recorded name, at the type that declared it.

use std::collections::{BTreeMap, BTreeSet};

use livestore_shape::{Kind, Lock, Shape};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::Type;

use super::package::{Mode, Package};
use super::shapes::READS;
use super::{message, outside_tests};
use crate::expand::{located_at, schema_event_defs};
use crate::parse::names;
use crate::parse::schema::Schema;
use crate::types::stable_text;

pub(crate) fn expand(package: &Package, schema: &Schema) -> TokenStream {
    let (Mode::Check | Mode::Frozen, Some(lock)) = (package.mode, &package.recorded) else {
        return TokenStream::new();
    };
    let listed = Listed::recorded(lock, &names::plain(&schema.ident));
    let names = with_older(lock, lock.of(Kind::Event).filter(|(_, shape)| listed.has(shape)));
    let (types, sets): (Vec<_>, Vec<_>) = schema_event_defs(schema).unzip();
    let asserts = names.iter().map(|(name, shape)| assert(schema, &types, name, shape));
    let asserts: TokenStream = asserts.collect();
    if asserts.is_empty() {
        return TokenStream::new();
    }
    let runtime = &schema.runtime;
    outside_tests(quote_spanned! {Span::mixed_site()=>
        const _: () = {
            const ALL: &[&[#runtime::EventDef]] = &[#(#sets),*];
            #asserts
        };
    })
}

/// These events, and those that are read as them.
fn with_older<'a>(
    lock: &'a Lock,
    events: impl Iterator<Item = (&'a str, &'a Shape)>,
) -> BTreeMap<&'a str, &'a Shape> {
    let mut found = BTreeMap::new();
    let mut open: Vec<_> = events.collect();
    while let Some((name, shape)) = open.pop() {
        let older = shape.head.marks.iter().filter_map(|mark| mark.strip_prefix(READS));
        // Two that read each other would not compile; a lock may still say so.
        if found.insert(name, shape).is_none() {
            open.extend(older.filter_map(|older| Some((older, lock.get(Kind::Event, older)?))));
        }
    }
    found
}

/// At the type that declared the event, if it is still listed, else at the schema.
fn assert(schema: &Schema, types: &[&Type], name: &str, shape: &Shape) -> TokenStream {
    let owner = owner(&shape.head.text);
    let position = types.iter().position(|ty| last_name(&stable_text(ty)) == owner);
    let span = match position.and_then(|position| types.get(position)) {
        Some(ty) => located_at(ty),
        None => located_at(&schema.ident),
    };
    let text = message::vanished(name);
    let likely = position.unwrap_or(0);
    let runtime = schema.runtime.located_at(span);
    let function = Ident::new("assert_recorded_event", span);
    quote_spanned!(span=> const _: () = #runtime::#function(#name, ALL, #likely, #text);)
}

/// The types that a schema listed when it was recorded, by their last name: that is how they stand at
/// their events.
struct Listed(BTreeSet<String>);

impl Listed {
    /// A name by which another schema lists another type says nothing, so it is left out.
    fn recorded(lock: &Lock, schema: &str) -> Self {
        let parts = lock.get(Kind::Schema, schema).map(|shape| shape.parts.keys());
        let own: Vec<_> = parts.into_iter().flatten().collect();
        let others = lock.of(Kind::Schema).flat_map(|(_, shape)| shape.parts.keys());
        let others: Vec<_> = others.filter(|path| !own.contains(path)).collect();
        let is_clear =
            |path: &&String| !others.iter().any(|other| last_name(other) == last_name(path));
        Self(own.into_iter().filter(|path| is_clear(path)).map(|path| last_name(path)).collect())
    }

    fn has(&self, shape: &Shape) -> bool {
        self.0.contains(&owner(&shape.head.text))
    }
}

/// `TodoEvent` of `TodoEvent::Created`.
fn owner(label: &str) -> String {
    label.split("::").next().unwrap_or_default().to_owned()
}

/// `TodoEvent` of `models::TodoEvent<T>`.
fn last_name(path: &str) -> String {
    let path = path.split('<').next().unwrap_or_default();
    path.rsplit("::").next().unwrap_or_default().to_owned()
}
