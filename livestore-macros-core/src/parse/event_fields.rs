//! The fields of an event, with the serde attributes they may have.

use proc_macro2::Ident;
use quote::{ToTokens, quote};
use syn::{ExprPath, Field, FieldsNamed, LitStr, Type, parse_quote_spanned};

use crate::case::RenameRule;
use crate::ctxt::Ctxt;
use crate::keys::{Key, KeyValue, each_attribute_key};
use crate::parse::event::read_one_name;
use crate::parse::names::{self, UsedNames};
use crate::types;

const KEYS: [&str; 6] =
    ["rename", "default", "with", "serialize_with", "deserialize_with", "skip_serializing_if"];

/// A field of an event: one key of its args.
pub(crate) struct ArgsField {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// The key in the args' JSON.
    pub(crate) wire_name: LitStr,
    pub(crate) default: Option<DefaultValue>,
    pub(crate) serialize_with: Option<ExprPath>,
    pub(crate) deserialize_with: Option<ExprPath>,
    pub(crate) skip_serializing_if: Option<ExprPath>,
}

/// The value that a missing key is read as.
pub(crate) enum DefaultValue {
    /// `#[serde(default)]`
    OfType,
    /// `#[serde(default = "path")]`
    Function(Box<ExprPath>),
}

#[derive(Default)]
struct FieldKeys {
    rename: KeyValue<LitStr>,
    default: KeyValue<DefaultValue>,
    serialize_with: KeyValue<ExprPath>,
    deserialize_with: KeyValue<ExprPath>,
    skip_serializing_if: KeyValue<ExprPath>,
}

pub(crate) fn parse_fields(
    ctxt: &Ctxt,
    fields: &FieldsNamed,
    rename_all: Option<RenameRule>,
) -> Vec<ArgsField> {
    let named = fields.named.iter().filter_map(|field| Some((field.ident.as_ref()?, field)));
    let fields: Vec<_> =
        named.map(|(ident, field)| ArgsField::parse(ctxt, ident, field, rename_all)).collect();
    check_wire_names_differ(ctxt, &fields);
    fields
}

/// Refuses attributes on a field of a newtype or a tuple.
pub(crate) fn refuse_attributes(ctxt: &Ctxt, field: &Field) {
    refuse_event_attribute(ctxt, field);
    each_attribute_key(ctxt, &field.attrs, "serde", |key| {
        let message = "a field without a name has no `#[serde]`: put it on the field's type, or name the field";
        Err(syn::Error::new_spanned(&key.ident, message))
    });
}

impl ArgsField {
    fn parse(ctxt: &Ctxt, ident: &Ident, field: &Field, rename_all: Option<RenameRule>) -> Self {
        refuse_event_attribute(ctxt, field);
        let mut keys = FieldKeys::default();
        each_attribute_key(ctxt, &field.attrs, "serde", |key| keys.read(key));
        let plain = names::plain(ident);
        Self {
            ident: ident.clone(),
            ty: types::ungrouped(&field.ty),
            wire_name: keys.rename.take().unwrap_or_else(|| {
                let name =
                    rename_all.map_or_else(|| plain.clone(), |rule| rule.apply_to_field(&plain));
                LitStr::new(&name, ident.span())
            }),
            default: keys.default.take(),
            serialize_with: keys.serialize_with.take(),
            deserialize_with: keys.deserialize_with.take(),
            skip_serializing_if: keys.skip_serializing_if.take(),
        }
    }
}

impl ArgsField {
    /// Whether serde's own implementations for the type read and write it.
    pub(crate) fn has_own_form(&self) -> bool {
        self.serialize_with.is_none() && self.deserialize_with.is_none()
    }

    /// Whether the field is an `Option<Option<..>>`: `None` is a missing key, `Some(None)` is `null`.
    pub(crate) fn may_be_missing(&self) -> bool {
        self.has_own_form() && types::is_nested_option(&self.ty)
    }
}

impl FieldKeys {
    fn read(&mut self, key: &Key<'_>) -> syn::Result<()> {
        match key.name().as_str() {
            "rename" => self.rename.set(key, read_one_name(key)?),
            "default" if key.has_value() => {
                self.default.set(key, DefaultValue::Function(Box::new(read_path(key)?)))
            }
            "default" => self.default.set(key, DefaultValue::OfType),
            "with" => {
                let module = read_path(key)?;
                self.serialize_with.set(key, function_in(&module, "serialize"))?;
                self.deserialize_with.set(key, function_in(&module, "deserialize"))
            }
            "serialize_with" => self.serialize_with.set(key, read_path(key)?),
            "deserialize_with" => self.deserialize_with.set(key, read_path(key)?),
            "skip_serializing_if" => self.skip_serializing_if.set(key, read_path(key)?),
            _ => Err(key.unsupported_serde("an event's field", &KEYS)),
        }
    }
}

/// Reads `= "path"`.
fn read_path(key: &Key<'_>) -> syn::Result<ExprPath> {
    let literal = key.string()?;
    literal.parse().map_err(|_| {
        let message = format!("expected a path in quotes: write `{} = \"path::to\"`", key.ident);
        syn::Error::new_spanned(&literal, message)
    })
}

fn function_in(module: &ExprPath, function: &str) -> ExprPath {
    let span = syn::spanned::Spanned::span(module);
    let function = Ident::new(function, span);
    parse_quote_spanned!(span=> #module::#function)
}

fn refuse_event_attribute(ctxt: &Ctxt, field: &Field) {
    for attr in field.attrs.iter().filter(|attr| attr.path().is_ident("event")) {
        let message = "`#[event]` goes on a variant or a struct: to name a key write `#[serde(rename = \"…\")]`";
        ctxt.error(attr, message);
    }
}

fn check_wire_names_differ(ctxt: &Ctxt, fields: &[ArgsField]) {
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

impl ToTokens for DefaultValue {
    /// The function that returns the value.
    fn to_tokens(&self, tokens: &mut proc_macro2::TokenStream) {
        match self {
            Self::OfType => tokens.extend(quote!(::core::default::Default::default)),
            Self::Function(path) => path.to_tokens(tokens),
        }
    }
}
