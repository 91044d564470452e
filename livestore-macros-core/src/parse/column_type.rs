//! `#[derive(ColumnType)]`: a field-less enum stored as a text or an integer, or a newtype stored as its inner
//! value.

use proc_macro2::Ident;
use syn::{Data, DataEnum, DeriveInput, Fields, Generics, LitStr, Type, Variant};

use crate::case::RenameRule;
use crate::ctxt::Ctxt;
use crate::impl_attributes::ImplAttributes;
use crate::keys::{KeyValue, each_attribute_key};
use crate::parse::event::{read_one_name, read_rule};
use crate::parse::names::{self, UsedNames};
use crate::runtime::Runtime;
use crate::types;

/// A type that can be a column.
pub(crate) struct ColumnTypeItem {
    pub(crate) runtime: Runtime,
    pub(crate) attributes: ImplAttributes,
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    /// `None` after an error.
    pub(crate) form: Option<StoredForm>,
}

/// The form in which a value is stored.
pub(crate) enum StoredForm {
    /// A text per variant.
    Enum(Vec<StoredVariant>),
    /// An integer per variant: its discriminant.
    Numbers(Vec<Ident>),
    /// The value of the inner type.
    Newtype(Box<Type>),
}

pub(crate) struct StoredVariant {
    pub(crate) ident: Ident,
    pub(crate) text: LitStr,
}

/// The keys on the type; ours take precedence over serde's.
#[derive(Default)]
struct TypeKeys {
    runtime: Runtime,
    integer: KeyValue<()>,
    rename_all: KeyValue<RenameRule>,
    serde_rename_all: KeyValue<RenameRule>,
}

impl ColumnTypeItem {
    pub(crate) fn parse(ctxt: &Ctxt, input: &DeriveInput) -> Self {
        let keys = TypeKeys::parse(ctxt, input);
        let is_integer = keys.integer.is_set();
        if is_integer && keys.rename_all.is_set() {
            let message =
                "an enum that is stored as integers has no texts to rename: remove `rename_all`";
            ctxt.error(&input.ident, message);
        }
        let rename_all = keys.rename_all.take().or(keys.serde_rename_all.take());
        let form = match &input.data {
            Data::Enum(data) if is_integer => parse_numbers(ctxt, input, data),
            Data::Enum(data) => parse_enum(ctxt, input, data, rename_all),
            Data::Struct(data) => {
                if is_integer {
                    let message =
                        "`integer` is for enums; a newtype is stored as what it wraps: remove it";
                    ctxt.error(&input.ident, message);
                }
                parse_newtype(ctxt, input, &data.fields)
            }
            Data::Union(data) => {
                ctxt.error(
                    data.union_token,
                    "a union cannot be a column: use an enum or a newtype",
                );
                None
            }
        };
        Self {
            runtime: keys.runtime,
            attributes: ImplAttributes::of_input(input),
            ident: input.ident.clone(),
            generics: input.generics.clone(),
            form,
        }
    }
}

impl TypeKeys {
    fn parse(ctxt: &Ctxt, input: &DeriveInput) -> Self {
        let mut keys = Self::default();
        each_attribute_key(ctxt, &input.attrs, "column_type", |key| match key.name().as_str() {
            "crate" => keys.runtime.read(key),
            "integer" => key.flag().and_then(|()| keys.integer.set(key, ())),
            "rename_all" => keys.rename_all.set(key, read_rule(key)?),
            _ => Err(key.unknown("column_type", &["integer", "rename_all", "crate"])),
        });
        // The other keys are for `derive(Serialize)`.
        each_attribute_key(ctxt, &input.attrs, "serde", |key| match key.name().as_str() {
            "rename_all" => keys.serde_rename_all.set(key, read_rule(key)?),
            _ => key.skip(),
        });
        keys
    }
}

fn parse_enum(
    ctxt: &Ctxt,
    input: &DeriveInput,
    data: &DataEnum,
    rename_all: Option<RenameRule>,
) -> Option<StoredForm> {
    check_enum(ctxt, input, data);
    let variants: Vec<_> = data
        .variants
        .iter()
        .map(|variant| StoredVariant::parse(ctxt, variant, rename_all))
        .collect();
    check_texts_differ(ctxt, &variants);
    Some(StoredForm::Enum(variants))
}

fn parse_numbers(ctxt: &Ctxt, input: &DeriveInput, data: &DataEnum) -> Option<StoredForm> {
    check_enum(ctxt, input, data);
    for variant in &data.variants {
        each_attribute_key(ctxt, &variant.attrs, "column_type", |key| {
            key.skip()?;
            let message =
                "this enum is stored as integers, the variants' own: `Variant = 1` sets one";
            Err(syn::Error::new_spanned(variant, message))
        });
    }
    let idents = data.variants.iter().map(|variant| variant.ident.clone());
    Some(StoredForm::Numbers(idents.collect()))
}

fn check_enum(ctxt: &Ctxt, input: &DeriveInput, data: &DataEnum) {
    if data.variants.is_empty() {
        ctxt.error(&input.ident, "a column needs a value to hold: add a variant");
    }
    if !input.generics.params.is_empty() {
        ctxt.error(
            &input.generics,
            "an enum that is a column has no fields, so it cannot be generic",
        );
    }
    data.variants.iter().for_each(|variant| check_unit(ctxt, variant));
}

fn check_unit(ctxt: &Ctxt, variant: &Variant) {
    if !matches!(variant.fields, Fields::Unit) {
        let message = format!(
            "`{}` has fields, and a column holds one value: remove them, or put them in columns of their own",
            variant.ident
        );
        ctxt.error(&variant.fields, message);
    }
}

impl StoredVariant {
    fn parse(ctxt: &Ctxt, variant: &Variant, rename_all: Option<RenameRule>) -> Self {
        let (mut own, mut serde) = (KeyValue::default(), KeyValue::default());
        each_attribute_key(ctxt, &variant.attrs, "column_type", |key| match key.name().as_str() {
            "rename" => own.set(key, key.string()?),
            _ => Err(key.unknown("column_type", &["rename"])),
        });
        each_attribute_key(ctxt, &variant.attrs, "serde", |key| match key.name().as_str() {
            "rename" => serde.set(key, read_one_name(key)?),
            _ => key.skip(),
        });
        let text = own.take().or(serde.take()).unwrap_or_else(|| {
            let plain = names::plain(&variant.ident);
            let text =
                rename_all.map_or_else(|| plain.clone(), |rule| rule.apply_to_variant(&plain));
            LitStr::new(&text, variant.ident.span())
        });
        Self { ident: variant.ident.clone(), text }
    }
}

fn check_texts_differ(ctxt: &Ctxt, variants: &[StoredVariant]) {
    let mut used = UsedNames::default();
    for variant in variants {
        if let Some(owner) = used.claim(&variant.text.value(), &variant.ident) {
            let message = format!(
                "`{owner}` is already stored as `{}`: rename one of the two",
                variant.text.value()
            );
            ctxt.error(&variant.text, message);
        }
    }
}

fn parse_newtype(ctxt: &Ctxt, input: &DeriveInput, fields: &Fields) -> Option<StoredForm> {
    if let Fields::Unnamed(fields) = fields
        && let Some(field) = fields.unnamed.first()
        && fields.unnamed.len() == 1
    {
        let ty = types::ungrouped(&field.ty);
        if types::is_option(&ty) {
            let message = "a newtype over `Option` would hide that the column may be null: wrap the inner type, and make the table's field an `Option`";
            ctxt.error(&field.ty, message);
            return None;
        }
        return Some(StoredForm::Newtype(Box::new(ty)));
    }
    let message = format!(
        "a column holds one value: write `struct {}(String);` around the type it is stored as",
        input.ident
    );
    ctxt.error(&input.ident, message);
    None
}
