//! `#[derive(Row)]`: a struct that a query returns.

use proc_macro2::Ident;
use quote::format_ident;
use syn::{Data, DeriveInput, Expr, Field, Fields, Generics, LitStr, Type, parse_quote_spanned};

use crate::case;
use crate::ctxt::Ctxt;
use crate::impl_attributes::ImplAttributes;
use crate::keys::{KeyValue, each_attribute_key};
use crate::parse::names;
use crate::runtime::{Runtime, located_at};
use crate::types;

/// A struct read from the columns of a result.
pub(crate) struct RowItem {
    pub(crate) runtime: Runtime,
    pub(crate) attributes: ImplAttributes,
    pub(crate) ident: Ident,
    /// Empty, or there was an error.
    pub(crate) generics: Generics,
    /// The table to select from, or a tuple of tables.
    pub(crate) from: Option<Type>,
    pub(crate) fields: Vec<RowField>,
}

pub(crate) struct RowField {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// The result column's name.
    pub(crate) name: String,
    /// The expression to select; only with `from`.
    pub(crate) selected: Option<Expr>,
}

impl RowItem {
    pub(crate) fn parse(ctxt: &Ctxt, input: &DeriveInput) -> Self {
        let (mut runtime, mut from) = (Runtime::default(), KeyValue::default());
        each_attribute_key(ctxt, &input.attrs, "row", |key| match key.name().as_str() {
            "crate" => runtime.read(key),
            "from" => from.set(key, key.value("from = Table")?),
            _ => Err(key.unknown("row", &["from", "crate"])),
        });
        check_generics(ctxt, input);
        let from = from.take().as_ref().map(types::ungrouped);
        let first_table = from.as_ref().and_then(|from| first_table(ctxt, from));
        let fields = named_fields(ctxt, input);
        let fields = fields
            .map(|(ident, field)| RowField::parse(ctxt, ident, field, from.as_ref(), first_table))
            .collect();
        Self {
            runtime,
            attributes: ImplAttributes::of_input(input),
            ident: input.ident.clone(),
            generics: input.generics.clone(),
            from,
            fields,
        }
    }
}

impl RowField {
    fn parse(
        ctxt: &Ctxt,
        ident: &Ident,
        field: &Field,
        from: Option<&Type>,
        first_table: Option<&Type>,
    ) -> Self {
        let (mut name, mut expr) = (KeyValue::default(), KeyValue::default());
        each_attribute_key(ctxt, &field.attrs, "row", |key| match key.name().as_str() {
            "name" => {
                let literal = key.string()?;
                names::check_not_empty(ctxt, &literal, "a result column's name");
                name.set(key, literal)
            }
            "expr" if from.is_none() => {
                key.skip()?;
                let message =
                    "`expr` selects from a table: write `#[row(from = Table)]` on the struct";
                Err(syn::Error::new_spanned(&key.ident, message))
            }
            "expr" => expr.set(key, key.value("expr = Table::COLUMN")?),
            _ => Err(key.unknown("row", &["expr", "name"])),
        });
        let plain = names::plain(ident);
        let constant = format_ident!("{}", case::screaming_snake_case(&plain), span = ident.span());
        Self {
            ident: ident.clone(),
            ty: types::ungrouped(&field.ty),
            name: name.take().as_ref().map_or(plain, LitStr::value),
            selected: expr.take().or_else(|| {
                let table = located_at(first_table?, ident.span());
                Some(parse_quote_spanned!(ident.span()=> #table::#constant))
            }),
        }
    }
}

fn check_generics(ctxt: &Ctxt, input: &DeriveInput) {
    if !input.generics.params.is_empty() {
        ctxt.error(&input.generics, "a row cannot be generic: its fields have one type each");
    }
}

fn named_fields<'a>(
    ctxt: &Ctxt,
    input: &'a DeriveInput,
) -> impl Iterator<Item = (&'a Ident, &'a Field)> {
    let named = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Some(&fields.named),
            Fields::Unit | Fields::Unnamed(_) => None,
        },
        Data::Enum(_) | Data::Union(_) => None,
    };
    if named.is_none_or(|fields| fields.is_empty()) {
        let message = format!(
            "a row needs named fields, one per selected column: write `struct {} {{ id: String, … }}`",
            input.ident
        );
        ctxt.error(&input.ident, message);
    }
    named.into_iter().flatten().filter_map(|field| Some((field.ident.as_ref()?, field)))
}

/// Returns the table whose columns the fields without `expr` are.
fn first_table<'a>(ctxt: &Ctxt, from: &'a Type) -> Option<&'a Type> {
    let first = match from {
        Type::Tuple(tables) => tables.elems.first(),
        table => Some(table),
    };
    let table = first.filter(|ty| matches!(ty, Type::Path(_)));
    if table.is_none() {
        ctxt.error(
            from,
            "expected a table or a tuple of tables: write `from = Todo` or `from = (Todo, User)`",
        );
    }
    table
}
