//! Turns what a macro declares into shapes, and remembers the tokens that they came from.

use std::collections::BTreeMap;

use livestore_shape::{ItemKind, MarkedText, Shape};
use proc_macro2::TokenStream;
use quote::ToTokens;

use crate::parse::client_document::ClientDocument;
use crate::parse::event::{ArgsForm, Definition, EventItem};
use crate::parse::event_fields::ArgsField;
use crate::parse::names;
use crate::parse::nested::{Nested, NestedShape};
use crate::parse::schema::SchemaItem;
use crate::parse::table::TableItem;
use crate::types::{self, stable_text};

/// The start of the mark that an event has for each older event that is read as it.
pub(crate) const READS: &str = "reads ";

/// An item of the lock as it is declared.
pub(crate) struct LockItem {
    pub(crate) kind: ItemKind,
    pub(crate) name: String,
    pub(crate) shape: Shape,
    /// The tokens to point at for the item as a whole, such as an event's name.
    pub(crate) at: TokenStream,
    /// The tokens to point at for each part: a field's name and its type.
    pub(crate) parts: BTreeMap<String, (TokenStream, TokenStream)>,
}

impl LockItem {
    fn new(kind: ItemKind, name: impl Into<String>, at: impl ToTokens, head: MarkedText) -> Self {
        Self {
            kind,
            name: name.into(),
            shape: Shape::of(head),
            at: at.into_token_stream(),
            parts: BTreeMap::new(),
        }
    }

    fn part(&mut self, name: String, text: MarkedText, ident: impl ToTokens, ty: impl ToTokens) {
        self.parts.insert(name.clone(), (ident.into_token_stream(), ty.into_token_stream()));
        self.shape.parts.insert(name, text);
    }
}

pub(crate) fn of_events(event: &EventItem) -> Vec<LockItem> {
    let definitions = event.definitions.iter();
    definitions.map(|definition| of_definition(&event.ident, definition)).collect()
}

pub(crate) fn of_definition(ident: &syn::Ident, definition: &Definition) -> LockItem {
    let Definition { name, client_only, deprecated, upcasts, args, .. } = definition;
    let mut head = MarkedText::new(definition.label(ident))
        .marked("client-only", *client_only)
        .marked("deprecated", deprecated.is_some());
    head.marks.extend(upcasts.iter().map(|upcast| format!("{READS}{}", upcast.from.value())));
    let mut item = LockItem::new(ItemKind::Event, name.value(), name, head);
    match args {
        ArgsForm::Fields(fields) => {
            for field in fields {
                let ArgsField { ident, ty, wire_name, .. } = field;
                item.part(wire_name.value(), args_field(field), ident, ty);
            }
        }
        ArgsForm::Tuple(types) => {
            for (position, ty) in types.iter().enumerate() {
                item.part(position.to_string(), MarkedText::new(stable_text(ty)), ty, ty);
            }
        }
        ArgsForm::Whole(ty) => item.part("*".to_owned(), MarkedText::new(stable_text(ty)), ty, ty),
    }
    item
}

fn args_field(field: &ArgsField) -> MarkedText {
    let ArgsField { ty, default, deserialize_with, .. } = field;
    let with = deserialize_with.as_ref().map(|path| format!("with {}", stable_text(path)));
    MarkedText {
        text: stable_text(ty),
        // serde reads a missing field as `None`, but a custom function may not.
        marks: presence(types::is_option(ty) && with.is_none(), default.is_some())
            .chain(with)
            .collect(),
    }
}

fn presence(is_optional: bool, has_default: bool) -> impl Iterator<Item = String> {
    let optional = is_optional.then(|| "optional".to_owned());
    let default = has_default.then(|| "default".to_owned());
    default.into_iter().chain(optional)
}

/// Returns the event that sets some of a document's fields, each of which may be absent.
pub(crate) fn of_document(document: &ClientDocument) -> LockItem {
    let ClientDocument { ident, fields, .. } = document;
    let head =
        MarkedText::new(names::plain(ident)).marked("client-only", true).marked("document", true);
    let mut item = LockItem::new(ItemKind::Event, document.set_event_name(), ident, head);
    for field in fields {
        let text = MarkedText::new(stable_text(&field.ty)).marked("optional", true);
        item.part(field.wire_name.value(), text, &field.ident, &field.ty);
    }
    item
}

pub(crate) fn of_nested(nested: &Nested) -> LockItem {
    let Nested { ident, name, shape, marks, .. } = nested;
    let keyword = match shape {
        NestedShape::Struct(_) => "struct",
        NestedShape::Enum(_) => "enum",
    };
    let head = MarkedText { text: keyword.to_owned(), marks: marks.clone() };
    let mut item = LockItem::new(ItemKind::Type, name, ident, head);
    let (NestedShape::Struct(parts) | NestedShape::Enum(parts)) = shape;
    for part in parts {
        item.part(part.name.clone(), part.text.clone(), &part.at, &part.ty);
    }
    item
}

pub(crate) fn of_table(table: &TableItem) -> LockItem {
    let TableItem { ident, name, columns, primary_key, .. } = table;
    let mut item =
        LockItem::new(ItemKind::Table, name, ident, MarkedText::new(names::plain(ident)));
    for (position, column) in columns.iter().enumerate() {
        let text = MarkedText::new(stable_text(&column.ty))
            .marked("primary-key", primary_key.contains(&position))
            .marked("default", column.default.is_some());
        item.part(column.name.clone(), text, &column.ident, &column.ty);
    }
    item
}

pub(crate) fn of_schema(schema: &SchemaItem) -> LockItem {
    let SchemaItem { ident, tables, documents, events, .. } = schema;
    let mut item =
        LockItem::new(ItemKind::Schema, names::plain(ident), ident, MarkedText::default());
    let lists = [("table", tables), ("document", documents), ("event", events)];
    for (kind, ty) in
        lists.into_iter().flat_map(|(kind, types)| types.iter().map(move |ty| (kind, ty)))
    {
        item.part(stable_text(ty), MarkedText::new(kind), ty, ty);
    }
    item
}

/// Returns the shape of an event as its definition carries it to the eventlog.
pub(crate) fn text_of_definition(ident: &syn::Ident, definition: &Definition) -> String {
    text_of(of_definition(ident, definition))
}

/// Returns the shape of the event that sets a document, for the same use.
pub(crate) fn text_of_document(document: &ClientDocument) -> String {
    text_of(of_document(document))
}

/// Leaves out what may change without a consequence for stored events.
fn text_of(item: LockItem) -> String {
    let mut shape = item.shape;
    shape.head.text = "event".to_owned();
    shape.head.marks.retain(|mark| mark != "deprecated" && !mark.starts_with(READS));
    shape.to_string()
}

/// Returns the mark of one of serde's keys: `key` or `key value`.
pub(crate) fn mark(key: &str, value: TokenStream) -> String {
    let value = stable_text(value);
    let value = value.trim_start_matches('=').trim_matches('"');
    format!("{key} {value}").trim_end().to_owned()
}
