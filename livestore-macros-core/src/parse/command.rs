//! `#[derive(Command)]`: a struct or an enum that is a command.

use proc_macro2::Ident;
use syn::{Data, DeriveInput, Generics, LitStr};

use crate::ctxt::Ctxt;
use crate::impl_attributes::ImplAttributes;
use crate::keys::{KeyValue, each_attribute_key};
use crate::parse::names;
use crate::runtime::Runtime;

const KEYS: [&str; 2] = ["name", "crate"];

/// A type that derives `Command`.
pub(crate) struct CommandItem {
    pub(crate) runtime: Runtime,
    pub(crate) attributes: ImplAttributes,
    pub(crate) ident: Ident,
    pub(crate) name: LitStr,
    pub(crate) generics: Generics,
    /// Whether the type can be a command.
    pub(crate) is_valid: bool,
}

impl CommandItem {
    pub(crate) fn parse(ctxt: &Ctxt, input: &DeriveInput) -> Self {
        let (mut runtime, mut name) = (Runtime::default(), KeyValue::default());
        each_attribute_key(ctxt, &input.attrs, "command", |key| match key.name().as_str() {
            "name" => name.set(key, key.string()?),
            "crate" => runtime.read(key),
            _ => Err(key.unknown("command", &KEYS)),
        });
        let ident = &input.ident;
        let name = name.take().unwrap_or_else(|| LitStr::new(&names::plain(ident), ident.span()));
        names::check_not_empty(ctxt, &name, "a command's name");
        let is_plain = input.generics.params.is_empty();
        if let Data::Union(data) = &input.data {
            let message = "a union cannot be a command: use a struct or an enum";
            ctxt.error(data.union_token, message);
        }
        if !is_plain {
            let message =
                "a command has no parameters: it is read back from the log by its name alone";
            ctxt.error(&input.generics, message);
        }
        let attributes = ImplAttributes::of_input(input);
        let (ident, generics) = (ident.clone(), input.generics.clone());
        let is_valid = is_plain && !matches!(input.data, Data::Union(_));
        Self { runtime, attributes, ident, name, generics, is_valid }
    }
}
