//! `#[derive(Shape)]`: a serde type inside an event's field.

use std::collections::BTreeSet;

use livestore_shape::MarkedText;
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Data, DeriveInput, Field, Fields, LitStr, Variant};

use crate::case::RenameRule;
use crate::ctxt::Ctxt;
use crate::keys::{Key, KeyValue, each_attribute_key};
use crate::lock::shapes::mark;
use crate::parse::event::{read_one_name, read_rule};
use crate::parse::names;
use crate::runtime::Runtime;
use crate::types::{self, stable_text};

/// A struct or an enum that is part of events.
pub(crate) struct Nested {
    pub(crate) runtime: Runtime,
    pub(crate) ident: Ident,
    /// Its name in the lock.
    pub(crate) name: String,
    pub(crate) shape: NestedShape,
    /// serde's attributes that decide the JSON.
    pub(crate) marks: BTreeSet<String>,
}

pub(crate) enum NestedShape {
    Struct(Vec<Part>),
    Enum(Vec<Part>),
}

/// A field or a variant.
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) text: MarkedText,
    pub(crate) at: TokenStream,
    pub(crate) ty: TokenStream,
}

/// serde's attributes of a type, a variant or a field.
#[derive(Default)]
struct SerdeKeys {
    rename: KeyValue<LitStr>,
    rename_all: KeyValue<RenameRule>,
    rename_all_fields: KeyValue<RenameRule>,
    has_default: bool,
    is_skipped: bool,
    marks: BTreeSet<String>,
}

impl Nested {
    pub(crate) fn parse(ctxt: &Ctxt, input: &DeriveInput) -> Self {
        let (mut runtime, mut name) = (Runtime::default(), KeyValue::<LitStr>::default());
        each_attribute_key(ctxt, &input.attrs, "shape", |key| match key.name().as_str() {
            "crate" => runtime.read(key),
            "name" => name.set(key, key.string()?),
            _ => Err(key.unknown("shape", &["name", "crate"])),
        });
        let serde = SerdeKeys::parse(ctxt, &input.attrs);
        let fields_rule = serde.rename_all_fields.get().copied();
        let rule = serde.rename_all.get().copied();
        let shape = match &input.data {
            Data::Enum(data) => NestedShape::Enum(
                data.variants.iter().filter_map(|v| variant(ctxt, v, rule, fields_rule)).collect(),
            ),
            Data::Struct(data) => {
                NestedShape::Struct(fields(ctxt, &data.fields, rule, serde.has_default))
            }
            Data::Union(data) => {
                ctxt.error(data.union_token, "a union has no JSON form: use an enum or a struct");
                NestedShape::Struct(Vec::new())
            }
        };
        let plain = names::plain(&input.ident);
        Self {
            runtime,
            ident: input.ident.clone(),
            name: name.get().map_or(plain, LitStr::value),
            shape,
            marks: serde.marks,
        }
    }
}

impl SerdeKeys {
    fn parse(ctxt: &Ctxt, attrs: &[Attribute]) -> Self {
        let mut keys = Self::default();
        each_attribute_key(ctxt, attrs, "serde", |key| keys.read(key));
        keys
    }

    /// A key that is unknown here is left to serde to check, and becomes a mark.
    fn read(&mut self, key: &Key<'_>) -> syn::Result<()> {
        match key.name().as_str() {
            "rename" if key.has_value() => self.rename.set(key, read_one_name(key)?),
            "rename_all" if key.has_value() => self.rename_all.set(key, read_rule(key)?),
            "rename_all_fields" if key.has_value() => {
                self.rename_all_fields.set(key, read_rule(key)?)
            }
            "default" => {
                self.has_default = true;
                key.skip()
            }
            "skip" | "skip_deserializing" => {
                self.is_skipped = true;
                key.skip()
            }
            "alias"
            | "bound"
            | "crate"
            | "expecting"
            | "skip_serializing_if"
            | "deny_unknown_fields"
            | "rename_all"
            | "serialize_with" => key.skip(),
            other => {
                let mut value = TokenStream::new();
                while !key.input.is_empty() && !key.input.peek(syn::Token![,]) {
                    value.extend([key.input.parse::<proc_macro2::TokenTree>()?]);
                }
                self.marks.insert(mark(other, value));
                Ok(())
            }
        }
    }

    fn name(&self, plain: &str, renamed: impl FnOnce(&str) -> Option<String>) -> String {
        let given = self.rename.get().map(LitStr::value);
        given.or_else(|| renamed(plain)).unwrap_or_else(|| plain.to_owned())
    }
}

fn variant(
    ctxt: &Ctxt,
    variant: &Variant,
    rule: Option<RenameRule>,
    fields_rule: Option<RenameRule>,
) -> Option<Part> {
    let serde = SerdeKeys::parse(ctxt, &variant.attrs);
    if serde.is_skipped {
        return None;
    }
    let plain = names::plain(&variant.ident);
    let name = serde.name(&plain, |plain| rule.map(|rule| rule.apply_to_variant(plain)));
    let fields_rule = serde.rename_all.get().copied().or(fields_rule);
    let inside = fields(ctxt, &variant.fields, fields_rule, serde.has_default);
    let inside: Vec<_> = inside
        .iter()
        .map(|part| match &variant.fields {
            Fields::Named(_) => format!("{}:{}", part.name, flat(&part.text)),
            _ => flat(&part.text),
        })
        .collect();
    let text = match &variant.fields {
        Fields::Unit => "unit".to_owned(),
        Fields::Named(_) => format!("{{{}}}", inside.join(",")),
        Fields::Unnamed(_) => format!("({})", inside.join(",")),
    };
    let ident = &variant.ident;
    let text = MarkedText { text, marks: serde.marks };
    Some(Part { name, text, at: quote!(#ident), ty: quote!(#variant) })
}

/// Returns the text of a part for use inside another text, with marks that need no parentheses.
fn flat(text: &MarkedText) -> String {
    let marks = text.marks.iter().map(|mark| format!("#{}", mark.replace(' ', "_")));
    std::iter::once(text.text.clone()).chain(marks).collect()
}

fn fields(ctxt: &Ctxt, fields: &Fields, rule: Option<RenameRule>, all_default: bool) -> Vec<Part> {
    let fields = fields.iter().enumerate();
    fields.filter_map(|(n, item)| field(ctxt, n, item, rule, all_default)).collect()
}

fn field(
    ctxt: &Ctxt,
    position: usize,
    field: &Field,
    rule: Option<RenameRule>,
    all_default: bool,
) -> Option<Part> {
    let serde = SerdeKeys::parse(ctxt, &field.attrs);
    if serde.is_skipped {
        return None;
    }
    let plain = field.ident.as_ref().map_or_else(|| position.to_string(), names::plain);
    let name = serde.name(&plain, |plain| {
        rule.filter(|_| field.ident.is_some()).map(|rule| rule.apply_to_field(plain))
    });
    let has_form = serde.marks.iter().any(|mark| mark.contains("with"));
    let ty = types::ungrouped(&field.ty);
    let is_optional = types::is_option(&ty) && field.ident.is_some() && !has_form;
    let text = MarkedText { text: stable_text(&ty), marks: serde.marks }
        .marked("default", serde.has_default || all_default)
        .marked("optional", is_optional);
    let ty = ty.to_token_stream();
    let at = field.ident.as_ref().map_or_else(|| ty.clone(), ToTokens::to_token_stream);
    Some(Part { name, text, at, ty })
}
