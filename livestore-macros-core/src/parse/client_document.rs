//! `#[client_document(..)]` on a struct.

use proc_macro2::{Ident, TokenStream};
use syn::{Attribute, Field, Fields, Generics, ItemStruct, LitStr, Type, Visibility};

use crate::case::RenameRule;
use crate::ctxt::Ctxt;
use crate::impl_attributes::ImplAttributes;
use crate::keys::{KeyValue, each_argument_key, each_attribute_key};
use crate::parse::event::{read_one_name, read_rule};
use crate::parse::names::{self, UsedNames};
use crate::runtime::Runtime;
use crate::types;

const CONTAINER_KEYS: [&str; 6] =
    ["rename_all", "default", "deny_unknown_fields", "crate", "bound", "expecting"];
const FIELD_KEYS: [&str; 5] = ["rename", "default", "alias", "bound", "skip_serializing_if"];

/// A client document: a struct with the UI state of one window, or of one fixed id.
pub(crate) struct ClientDocument {
    pub(crate) runtime: Runtime,
    pub(crate) attributes: ImplAttributes,
    pub(crate) ident: Ident,
    /// Empty, or there was an error.
    pub(crate) generics: Generics,
    pub(crate) vis: Visibility,
    pub(crate) name: String,
    /// `None` for one document per window.
    pub(crate) id: Option<LitStr>,
    pub(crate) fields: Vec<DocumentField>,
}

pub(crate) struct DocumentField {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) ty: Type,
    /// The key in the document's JSON, as serde writes it.
    pub(crate) wire_name: LitStr,
}

impl ClientDocument {
    pub(crate) fn parse(ctxt: &Ctxt, attr: TokenStream, item: &ItemStruct) -> Self {
        let (mut runtime, mut name, mut id) =
            (Runtime::default(), KeyValue::default(), KeyValue::default());
        each_argument_key(ctxt, attr, |key| match key.name().as_str() {
            "crate" => runtime.read(key),
            "name" => name.set(key, key.string()?),
            "id" => id.set(key, key.string()?),
            _ => Err(key.unknown("client_document", &["name", "id", "crate"])),
        });
        let id = id.take();
        if let Some(id) = &id {
            names::check_not_empty(ctxt, id, "a client document's id");
        }
        check_shape(ctxt, item);
        Self {
            runtime,
            attributes: ImplAttributes::of_struct(item),
            ident: item.ident.clone(),
            generics: item.generics.clone(),
            vis: item.vis.clone(),
            name: document_name(ctxt, item, name.get()),
            id,
            fields: parse_fields(ctxt, item),
        }
    }

    /// Returns the name of the event that sets the document, which is LiveStore's.
    pub(crate) fn set_event_name(&self) -> String {
        format!("{}Set", self.name)
    }

    /// Returns the fields as the schema hash includes them: `name:Type,name:Type`.
    pub(crate) fn shape(&self) -> String {
        let field = |field: &DocumentField| {
            format!("{}:{}", field.wire_name.value(), types::stable_text(&field.ty))
        };
        self.fields.iter().map(field).collect::<Vec<_>>().join(",")
    }
}

impl DocumentField {
    fn parse(ctxt: &Ctxt, ident: &Ident, field: &Field, rename_all: Option<RenameRule>) -> Self {
        check_field(ctxt, ident, field);
        let mut rename = KeyValue::default();
        each_attribute_key(ctxt, &field.attrs, "serde", |key| match key.name().as_str() {
            "rename" => rename.set(key, read_one_name(key)?),
            other if FIELD_KEYS.contains(&other) => key.skip(),
            _ => {
                let place = "a client document's field, which can be set on its own";
                Err(key.unsupported_serde(place, &FIELD_KEYS))
            }
        });
        let plain = names::plain(ident);
        Self {
            ident: ident.clone(),
            vis: field.vis.clone(),
            docs: types::docs(&field.attrs),
            ty: types::ungrouped(&field.ty),
            wire_name: rename.take().unwrap_or_else(|| {
                let name =
                    rename_all.map_or_else(|| plain.clone(), |rule| rule.apply_to_field(&plain));
                LitStr::new(&name, ident.span())
            }),
        }
    }
}

fn document_name(ctxt: &Ctxt, item: &ItemStruct, given: Option<&LitStr>) -> String {
    let plain = names::plain(&item.ident);
    let Some(literal) = given else {
        return plain;
    };
    names::check_not_empty(ctxt, literal, "a client document's name");
    names::check_not_reserved(ctxt, literal, &literal.value(), "a client document's name");
    literal.value()
}

fn check_shape(ctxt: &Ctxt, item: &ItemStruct) {
    if !item.generics.params.is_empty() {
        let message = "a client document cannot be generic: its fields have one type each";
        ctxt.error(&item.generics, message);
    }
    if !matches!(item.fields, Fields::Named(_)) {
        let message = "a client document needs named fields, so that each can be set on its own";
        ctxt.error(&item.ident, message);
    }
}

fn parse_fields(ctxt: &Ctxt, item: &ItemStruct) -> Vec<DocumentField> {
    let rename_all = read_container(ctxt, &item.attrs);
    let Fields::Named(fields) = &item.fields else {
        return Vec::new();
    };
    let named = fields.named.iter().filter_map(|field| Some((field.ident.as_ref()?, field)));
    let fields: Vec<_> =
        named.map(|(ident, field)| DocumentField::parse(ctxt, ident, field, rename_all)).collect();
    check_wire_names_differ(ctxt, &fields);
    fields
}

fn read_container(ctxt: &Ctxt, attrs: &[Attribute]) -> Option<RenameRule> {
    let mut rename_all = KeyValue::default();
    each_attribute_key(ctxt, attrs, "serde", |key| match key.name().as_str() {
        "rename_all" => rename_all.set(key, read_rule(key)?),
        other if CONTAINER_KEYS.contains(&other) => key.skip(),
        _ => Err(key.unsupported_serde("a client document", &CONTAINER_KEYS)),
    });
    rename_all.take()
}

fn check_field(ctxt: &Ctxt, ident: &Ident, field: &Field) {
    if ident == "id" {
        let message = "`id` is reserved for the document's id: rename this field (its key in the JSON may still be `#[serde(rename = \"id\")]`)";
        ctxt.error(ident, message);
    }
    if types::is_nested_option(&types::ungrouped(&field.ty)) {
        let message =
            "JSON has one `null` for `None` and `Some(None)`: use one `Option`, or an enum";
        ctxt.error(&field.ty, message);
    }
    for attr in field.attrs.iter().filter(|attr| attr.path().is_ident("cfg")) {
        let message =
            "a client document's field cannot depend on `#[cfg]`: put `#[cfg]` on the whole struct";
        ctxt.error(attr, message);
    }
}

fn check_wire_names_differ(ctxt: &Ctxt, fields: &[DocumentField]) {
    let mut used = UsedNames::default();
    for field in fields {
        if let Some(owner) = used.claim(&field.wire_name.value(), &field.ident) {
            let message = format!(
                "`{owner}` is already written as `{}`: give this field another name",
                field.wire_name.value()
            );
            ctxt.error(&field.wire_name, message);
        }
    }
}
