//! `#[derive(Event)]`: an enum with one event per variant, or a struct that is one event.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Fields, FieldsUnnamed, Generics, LitStr, Variant};

use crate::case::RenameRule;
use crate::ctxt::Ctxt;
use crate::impl_attributes::ImplAttributes;
use crate::keys::{Key, KeyValue, each_attribute_key};
use crate::parse::event_fields::{ArgsField, parse_fields, refuse_attributes};
use crate::parse::names::{self, UsedNames};
use crate::parse::upcast::Upcast;
use crate::runtime::Runtime;
use crate::types;

const DEFINITION_KEYS: [&str; 4] = ["name", "client_only", "deprecated", "upcast"];

/// The largest tuple that serde reads.
const MAX_ELEMENTS: usize = 16;

/// A type that derives `Event`.
pub(crate) struct EventItem {
    pub(crate) runtime: Runtime,
    pub(crate) attributes: ImplAttributes,
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) definitions: Vec<Definition>,
}

/// An event definition: a variant, or the whole struct.
pub(crate) struct Definition {
    variant: Option<Ident>,
    pub(crate) name: LitStr,
    pub(crate) client_only: bool,
    pub(crate) deprecated: Option<LitStr>,
    pub(crate) upcasts: Vec<Upcast>,
    pub(crate) args: ArgsForm,
}

/// The form of the event's args.
pub(crate) enum ArgsForm {
    /// An object with one key per field; also for no fields at all.
    Fields(Vec<ArgsField>),
    /// The JSON of a newtype's field.
    Whole(Box<syn::Type>),
    /// An array with one element per field of a tuple.
    Tuple(Vec<syn::Type>),
}

/// The keys of `#[event(..)]` for one definition.
#[derive(Default)]
struct DefinitionKeys {
    name: KeyValue<LitStr>,
    client_only: KeyValue<()>,
    deprecated: KeyValue<LitStr>,
    upcasts: Vec<Upcast>,
}

impl EventItem {
    pub(crate) fn parse(ctxt: &Ctxt, input: &DeriveInput) -> Self {
        check_generics(ctxt, &input.generics);
        let (runtime, definitions) = match &input.data {
            Data::Enum(data) => parse_enum(ctxt, &input.attrs, data),
            Data::Struct(data) => parse_struct(ctxt, input, &data.fields),
            Data::Union(data) => {
                ctxt.error(data.union_token, "a union cannot be an event: use an enum or a struct");
                Default::default()
            }
        };
        Self {
            runtime,
            attributes: ImplAttributes::of_input(input),
            ident: input.ident.clone(),
            generics: input.generics.clone(),
            definitions,
        }
    }
}

impl Definition {
    /// Returns `TodoEvent::Created`, or the name of a struct.
    pub(crate) fn label(&self, of: &Ident) -> String {
        let of = names::plain(of);
        match &self.variant {
            Some(variant) => format!("{of}::{}", names::plain(variant)),
            None => of,
        }
    }

    /// Returns `Self::Variant`, or `Self` for a struct.
    pub(crate) fn constructor(&self) -> TokenStream {
        match &self.variant {
            Some(variant) => quote!(Self::#variant),
            None => quote!(Self),
        }
    }
}

impl DefinitionKeys {
    fn read(&mut self, key: &Key<'_>) -> syn::Result<()> {
        match key.name().as_str() {
            "name" => self.name.set(key, key.string()?),
            "client_only" => key.flag().and_then(|()| self.client_only.set(key, ())),
            "deprecated" if key.has_value() => self.deprecated.set(key, key.string()?),
            "deprecated" => self.deprecated.set(key, LitStr::new("", key.ident.span())),
            "upcast" => Upcast::read(key).map(|upcast| self.upcasts.push(upcast)),
            _ => Err(key.unknown("event", &DEFINITION_KEYS)),
        }
    }

    /// Takes over Rust's own `#[deprecated]`, by which the compiler warns where the event is made.
    fn deprecate(&mut self, attrs: &[Attribute]) {
        if let Some(attr) = attrs.iter().find(|attr| attr.path().is_ident("deprecated"))
            && !self.deprecated.is_set()
        {
            self.deprecated = KeyValue::of(deprecation(attr));
        }
    }

    fn into_definition(
        self,
        ctxt: &Ctxt,
        ident: &Ident,
        variant: Option<Ident>,
        args: ArgsForm,
    ) -> Definition {
        let name = self.name.take().unwrap_or_else(|| {
            let message = format!(
                "`{ident}` needs the name it has in the eventlog: write `#[event(name = \"v1.{ident}\")]`"
            );
            ctxt.error(ident, message);
            LitStr::new(&ident.to_string(), ident.span())
        });
        names::check_not_empty(ctxt, &name, "an event's name");
        Definition {
            variant,
            name,
            client_only: self.client_only.is_set(),
            deprecated: self.deprecated.take(),
            upcasts: self.upcasts,
            args,
        }
    }
}

/// Returns the reason in `#[deprecated = "…"]` or `#[deprecated(note = "…")]`.
fn deprecation(attr: &Attribute) -> LitStr {
    let mut note = LitStr::new("", attr.span());
    let of_value = attr.meta.require_name_value().ok().and_then(|meta| match &meta.value {
        syn::Expr::Lit(literal) => syn::parse2(literal.to_token_stream()).ok(),
        _ => None,
    });
    // The compiler reports what is wrong with it.
    let _ = attr.parse_nested_meta(|meta| {
        let text: LitStr = meta.value()?.parse()?;
        if meta.path.is_ident("note") {
            note = text;
        }
        Ok(())
    });
    of_value.unwrap_or(note)
}

fn parse_enum(
    ctxt: &Ctxt,
    attrs: &[Attribute],
    data: &syn::DataEnum,
) -> (Runtime, Vec<Definition>) {
    let runtime = read_enum_keys(ctxt, attrs);
    let rename_all = read_rename_all(ctxt, attrs, &["rename_all", "rename_all_fields"]);
    let variants = data.variants.iter();
    let definitions: Vec<_> =
        variants.map(|variant| parse_variant(ctxt, variant, rename_all)).collect();
    check_names_differ(ctxt, &definitions);
    (runtime, definitions)
}

fn read_enum_keys(ctxt: &Ctxt, attrs: &[Attribute]) -> Runtime {
    let mut runtime = Runtime::default();
    each_attribute_key(ctxt, attrs, "event", |key| match key.name().as_str() {
        "crate" => runtime.read(key),
        own if DEFINITION_KEYS.contains(&own) => {
            let message = format!("`{own}` belongs to one event: move it to a variant");
            Err(syn::Error::new_spanned(&key.ident, message))
        }
        _ => Err(key.unknown("event", &["crate"])),
    });
    runtime
}

fn parse_variant(ctxt: &Ctxt, variant: &Variant, rename_all: Option<RenameRule>) -> Definition {
    let mut keys = DefinitionKeys::default();
    each_attribute_key(ctxt, &variant.attrs, "event", |key| keys.read(key));
    let rename_all = read_rename_all(ctxt, &variant.attrs, &["rename_all"]).or(rename_all);
    let args = parse_args(ctxt, &variant.fields, rename_all);
    keys.deprecate(&variant.attrs);
    keys.into_definition(ctxt, &variant.ident, Some(variant.ident.clone()), args)
}

fn parse_struct(ctxt: &Ctxt, input: &DeriveInput, fields: &Fields) -> (Runtime, Vec<Definition>) {
    let (mut runtime, mut keys) = (Runtime::default(), DefinitionKeys::default());
    each_attribute_key(ctxt, &input.attrs, "event", |key| match key.name().as_str() {
        "crate" => runtime.read(key),
        _ => keys.read(key),
    });
    let rename_all = read_rename_all(ctxt, &input.attrs, &["rename_all"]);
    let args = parse_args(ctxt, fields, rename_all);
    keys.deprecate(&input.attrs);
    (runtime, vec![keys.into_definition(ctxt, &input.ident, None, args)])
}

/// Reads serde's renaming of fields; the last of `accepted` wins over the first.
fn read_rename_all(ctxt: &Ctxt, attrs: &[Attribute], accepted: &[&str]) -> Option<RenameRule> {
    let (mut all, mut all_fields) = (KeyValue::default(), KeyValue::default());
    each_attribute_key(ctxt, attrs, "serde", |key| match key.name().as_str() {
        "rename_all" => all.set(key, read_rule(key)?),
        "rename_all_fields" if accepted.contains(&"rename_all_fields") => {
            all_fields.set(key, read_rule(key)?)
        }
        _ => Err(key.unsupported_serde("an event", accepted)),
    });
    all_fields.take().or(all.take())
}

/// Reads `= "camelCase"`.
pub(crate) fn read_rule(key: &Key<'_>) -> syn::Result<RenameRule> {
    RenameRule::parse(&read_one_name(key)?)
}

/// Reads `= "name"`, and refuses `(serialize = .., deserialize = ..)`.
pub(crate) fn read_one_name(key: &Key<'_>) -> syn::Result<LitStr> {
    if key.has_list() {
        let message =
            format!("a name is the same for writing and reading: write `{} = \"…\"`", key.ident);
        return Err(syn::Error::new_spanned(&key.ident, message));
    }
    key.string()
}

fn parse_args(ctxt: &Ctxt, fields: &Fields, rename_all: Option<RenameRule>) -> ArgsForm {
    match fields {
        Fields::Unit => ArgsForm::Fields(Vec::new()),
        Fields::Named(fields) => ArgsForm::Fields(parse_fields(ctxt, fields, rename_all)),
        Fields::Unnamed(fields) => parse_unnamed(ctxt, fields),
    }
}

fn parse_unnamed(ctxt: &Ctxt, fields: &FieldsUnnamed) -> ArgsForm {
    let fields = fields.unnamed.iter();
    let types = fields.map(|field| {
        refuse_attributes(ctxt, field);
        types::ungrouped(&field.ty)
    });
    let types: Vec<_> = types.collect();
    match <[_; 1]>::try_from(types) {
        Ok([ty]) => ArgsForm::Whole(Box::new(ty)),
        Err(types) if types.is_empty() => ArgsForm::Fields(Vec::new()),
        Err(types) => {
            if let Some(extra) = types.get(MAX_ELEMENTS) {
                let message =
                    format!("serde reads tuples of up to {MAX_ELEMENTS} fields: name the fields");
                ctxt.error(extra, message);
            }
            ArgsForm::Tuple(types)
        }
    }
}

fn check_names_differ(ctxt: &Ctxt, definitions: &[Definition]) {
    let mut used = UsedNames::default();
    for Definition { name, variant, upcasts, .. } in definitions {
        let Some(variant) = variant else { continue };
        for upcast in upcasts {
            upcast.check_name(ctxt, &mut used, variant);
        }
        if let Some(owner) = used.claim(&name.value(), variant) {
            let message =
                format!("`{}` already names `{owner}`: an event's name is used once", name.value());
            ctxt.error(name, message);
        }
    }
}

fn check_generics(ctxt: &Ctxt, generics: &Generics) {
    for lifetime in generics.lifetimes() {
        let message = "an event owns its args: use `String` instead of `&str`, and no lifetimes";
        ctxt.error(lifetime, message);
    }
}
