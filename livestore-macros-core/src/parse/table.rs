//! `#[table(..)]` on a struct.

use proc_macro2::{Ident, TokenStream};
use syn::{Fields, Generics, ItemStruct, LitStr, Visibility};

use crate::case;
use crate::ctxt::Ctxt;
use crate::impl_attributes::ImplAttributes;
use crate::keys::{Key, KeyValue, each_argument_key};
use crate::parse::column::{ColumnField, ColumnKeys};
use crate::parse::index::{Index, IndexArguments};
use crate::parse::names::{self, UsedNames};
use crate::runtime::Runtime;
use crate::suggest;

const KEYS: [&str; 6] = ["name", "crate", "primary_key", "index", "unique", "check"];

const MAX_COLUMNS: usize = 2000;

/// A table: a struct with one column per field.
pub(crate) struct TableItem {
    pub(crate) runtime: Runtime,
    pub(crate) attributes: ImplAttributes,
    pub(crate) vis: Visibility,
    pub(crate) ident: Ident,
    /// Empty, or there was an error.
    pub(crate) generics: Generics,
    pub(crate) name: String,
    pub(crate) columns: Vec<ColumnField>,
    /// The positions of its columns, in key order.
    pub(crate) primary_key: Vec<usize>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) checks: Vec<LitStr>,
}

/// The arguments of `#[table(..)]`.
#[derive(Default)]
struct TableArguments {
    runtime: Runtime,
    name: KeyValue<LitStr>,
    primary_key: KeyValue<Vec<Ident>>,
    indexes: Vec<IndexArguments>,
    checks: Vec<LitStr>,
    /// Whether a key could not be read: it may have been any of these.
    is_unclear: bool,
}

impl TableItem {
    pub(crate) fn parse(ctxt: &Ctxt, attr: TokenStream, item: &ItemStruct) -> Self {
        let arguments = TableArguments::parse(ctxt, attr);
        check_shape(ctxt, item);
        let name = table_name(ctxt, item, arguments.name.get());
        let (columns, column_keys) = parse_columns(ctxt, item);
        check_columns_differ(ctxt, &columns);
        let primary_key = primary_key(ctxt, item, &arguments, &columns, &column_keys);
        let indexes = Index::collect(ctxt, &name, &columns, &column_keys, arguments.indexes);
        Self {
            runtime: arguments.runtime,
            attributes: ImplAttributes::of_struct(item),
            vis: item.vis.clone(),
            ident: item.ident.clone(),
            generics: item.generics.clone(),
            name,
            columns,
            primary_key,
            indexes,
            checks: arguments.checks,
        }
    }
}

/// Removes `#[column]`, which the compiler does not know.
pub(crate) fn strip_column_attributes(item: &mut ItemStruct) {
    for field in &mut item.fields {
        field.attrs.retain(|attr| !attr.path().is_ident("column"));
    }
}

impl TableArguments {
    fn parse(ctxt: &Ctxt, attr: TokenStream) -> Self {
        let mut arguments = Self::default();
        each_argument_key(ctxt, attr, |key| {
            let result = arguments.read(ctxt, key);
            arguments.is_unclear |= result.is_err();
            result
        });
        arguments
    }

    fn read(&mut self, ctxt: &Ctxt, key: &Key<'_>) -> syn::Result<()> {
        match key.name().as_str() {
            "crate" => self.runtime.read(key),
            "name" => self.name.set(key, key.string()?),
            "primary_key" => self.primary_key.set(key, key.fields()?),
            "index" => IndexArguments::read(ctxt, key, false).map(|index| self.indexes.push(index)),
            "unique" => IndexArguments::read(ctxt, key, true).map(|index| self.indexes.push(index)),
            "check" => read_check(key).map(|check| self.checks.push(check)),
            _ => Err(key.unknown("table", &KEYS)),
        }
    }
}

/// `check = "sql"` or `check("sql")`.
fn read_check(key: &Key<'_>) -> syn::Result<LitStr> {
    if key.has_list() { key.list(|content| content.parse()) } else { key.string() }
}

fn check_shape(ctxt: &Ctxt, item: &ItemStruct) {
    if !item.generics.params.is_empty() {
        ctxt.error(&item.generics, "a table cannot be generic: its columns have one type each");
    }
    match &item.fields {
        Fields::Named(fields) if !fields.named.is_empty() => {}
        Fields::Named(_) => ctxt.error(&item.ident, "a table needs at least one column"),
        Fields::Unit | Fields::Unnamed(_) => ctxt.error(
            &item.ident,
            "a table needs named fields, one per column: write `struct Name { id: String, … }`",
        ),
    }
}

fn table_name(ctxt: &Ctxt, item: &ItemStruct, given: Option<&LitStr>) -> String {
    match given {
        Some(literal) => {
            names::check_not_empty(ctxt, literal, "a table's name");
            names::check_not_reserved(ctxt, literal, &literal.value(), "a table's name");
            literal.value()
        }
        None => {
            let name = case::snake_case(&names::plain(&item.ident));
            names::check_not_reserved(ctxt, &item.ident, &name, "a table's name");
            name
        }
    }
}

fn parse_columns(ctxt: &Ctxt, item: &ItemStruct) -> (Vec<ColumnField>, Vec<ColumnKeys>) {
    let Fields::Named(fields) = &item.fields else {
        return Default::default();
    };
    if let Some(extra) = fields.named.iter().nth(MAX_COLUMNS) {
        let message = format!("a table in SQLite has at most {MAX_COLUMNS} columns");
        ctxt.error(&extra.ident, message);
    }
    let named = fields.named.iter().filter_map(|field| Some((field.ident.as_ref()?, field)));
    named.map(|(ident, field)| ColumnField::parse(ctxt, ident, field)).unzip()
}

/// Checks that columns have different names, which SQLite compares without regard to case, and different
/// constants.
fn check_columns_differ(ctxt: &Ctxt, columns: &[ColumnField]) {
    let (mut names, mut constants) = (UsedNames::default(), UsedNames::default());
    for column in columns {
        if let Some(owner) = names.claim(&column.name.to_lowercase(), &column.ident) {
            let message = format!("`{owner}` is already stored in column `{}`", column.name);
            ctxt.error(&column.ident, message);
        } else if let Some(owner) = constants.claim(&column.constant.to_string(), &column.ident) {
            let constant = &column.constant;
            let message =
                format!("`{owner}` already has the constant `{constant}`: rename a field");
            ctxt.error(&column.ident, message);
        }
    }
}

fn primary_key(
    ctxt: &Ctxt,
    item: &ItemStruct,
    arguments: &TableArguments,
    columns: &[ColumnField],
    column_keys: &[ColumnKeys],
) -> Vec<usize> {
    let marked = column_keys.iter().enumerate().filter(|(_, keys)| keys.primary_key.is_set());
    let positions = match arguments.primary_key.get() {
        Some(fields) => {
            for at in marked.filter_map(|(_, keys)| keys.primary_key.get()) {
                let message = "the primary key is given in `#[table(primary_key(..))]` already: remove one of the two";
                ctxt.error(at, message);
            }
            positions(ctxt, columns, fields)
        }
        None => marked.map(|(position, _)| position).collect(),
    };
    let is_missing = positions.is_empty() && !arguments.primary_key.is_set();
    let is_unclear = arguments.is_unclear || column_keys.iter().any(|keys| keys.is_unclear);
    if is_missing && !is_unclear && !columns.is_empty() {
        let message = format!(
            "`{}` needs a primary key: mark one or more fields with `#[column(primary_key)]`",
            item.ident
        );
        ctxt.error(&item.ident, message);
    }
    check_never_null(ctxt, columns, &positions);
    positions
}

fn check_never_null(ctxt: &Ctxt, columns: &[ColumnField], primary_key: &[usize]) {
    for column in primary_key.iter().filter_map(|&position| columns.get(position)) {
        if column.is_nullable() {
            ctxt.error(&column.ty, "a primary key is never null: write the type without `Option`");
        }
    }
}

/// Returns the positions of the named fields among the columns; each may be named once.
pub(crate) fn positions(ctxt: &Ctxt, columns: &[ColumnField], fields: &[Ident]) -> Vec<usize> {
    let mut positions = Vec::with_capacity(fields.len());
    for field in fields {
        let name = names::plain(field);
        match columns.iter().position(|column| names::plain(&column.ident) == name) {
            Some(position) if positions.contains(&position) => {
                ctxt.error(field, format!("`{field}` is named twice: remove one"));
            }
            Some(position) => positions.push(position),
            None => {
                let known: Vec<_> = columns.iter().map(|c| names::plain(&c.ident)).collect();
                let known: Vec<_> = known.iter().map(std::string::String::as_str).collect();
                let hint = suggest::hint(&name, &known);
                ctxt.error(field, format!("the table has no field `{name}`{hint}"));
            }
        }
    }
    positions
}
