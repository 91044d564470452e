//! `index(..)` and `unique(..)`, on the table and on its columns.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::{LitStr, Token, parenthesized, token};

use crate::ctxt::Ctxt;
use crate::keys::{Key, KeyValue, each_key};
use crate::parse::column::{ColumnField, ColumnKeys, IndexKey};
use crate::parse::names::{self, UsedNames};
use crate::parse::table::positions;

/// An index of a table.
pub(crate) struct Index {
    pub(crate) name: String,
    /// The positions of its columns in the table.
    pub(crate) columns: Vec<usize>,
    pub(crate) is_unique: bool,
}

/// `index(a, b)` or `index(name = "by_x", columns(a, b))`; the same with `unique`.
pub(crate) struct IndexArguments {
    key: Ident,
    name: Option<LitStr>,
    fields: Vec<Ident>,
    is_unique: bool,
}

impl IndexArguments {
    pub(crate) fn read(ctxt: &Ctxt, key: &Key<'_>, is_unique: bool) -> syn::Result<Self> {
        let (name, fields) =
            if is_keyed(key) { read_keyed(ctxt, key)? } else { (None, key.fields()?) };
        Ok(Self { key: key.ident.clone(), name, fields, is_unique })
    }
}

/// Whether it is `index(name = "…", columns(a))`, and not `index(a)`.
fn is_keyed(key: &Key<'_>) -> bool {
    let ahead = key.input.fork();
    let inside = |input: syn::parse::ParseStream<'_>| -> syn::Result<bool> {
        let content;
        parenthesized!(content in input);
        content.call(Ident::parse_any)?;
        Ok(content.peek(Token![=]) || content.peek(token::Paren))
    };
    inside(&ahead).unwrap_or(false)
}

fn read_keyed(ctxt: &Ctxt, key: &Key<'_>) -> syn::Result<(Option<LitStr>, Vec<Ident>)> {
    let (mut name, mut fields) = (KeyValue::default(), KeyValue::default());
    let mut all_read = true;
    let mut read = |inner: &Key<'_>| match inner.name().as_str() {
        "name" => name.set(inner, inner.string()?),
        "columns" => fields.set(inner, inner.fields()?),
        _ => Err(inner.unknown(&key.name(), &["name", "columns"])),
    };
    key.list(|content| {
        each_key(ctxt, content, |inner| {
            let result = read(inner);
            all_read &= result.is_ok();
            result
        });
        Ok(())
    })?;
    match fields.take() {
        Some(fields) => Ok((name.take(), fields)),
        // The missing key was reported as misspelt.
        None if !all_read => Ok((name.take(), Vec::new())),
        None => {
            let message =
                format!("`{0}` needs columns: write `{0}(name = \"…\", columns(a, b))`", key.ident);
            Err(syn::Error::new_spanned(&key.ident, message))
        }
    }
}

impl Index {
    /// Returns all indexes of a table: those of its columns, then its own.
    pub(crate) fn collect(
        ctxt: &Ctxt,
        table: &str,
        columns: &[ColumnField],
        column_keys: &[ColumnKeys],
        arguments: Vec<IndexArguments>,
    ) -> Vec<Self> {
        let mut collector =
            Collector { ctxt, table, columns, names: UsedNames::default(), indexes: Vec::new() };
        for (position, (column, keys)) in columns.iter().zip(column_keys).enumerate() {
            for (given, is_unique) in [(keys.index.get(), false), (keys.unique.get(), true)] {
                if let Some(IndexKey { name }) = given {
                    collector.add(&column.ident, name.as_ref(), vec![position], is_unique);
                }
            }
        }
        for index in arguments {
            let positions = positions(ctxt, columns, &index.fields);
            // Otherwise a field was reported, and the name of the index is not certain.
            if !positions.is_empty() && positions.len() == index.fields.len() {
                collector.add(&index.key, index.name.as_ref(), positions, index.is_unique);
            }
        }
        collector.indexes
    }
}

struct Collector<'a> {
    ctxt: &'a Ctxt,
    table: &'a str,
    columns: &'a [ColumnField],
    names: UsedNames,
    indexes: Vec<Index>,
}

impl Collector<'_> {
    fn add(&mut self, at: &Ident, name: Option<&LitStr>, columns: Vec<usize>, is_unique: bool) {
        let name = match name {
            Some(literal) => {
                names::check_not_empty(self.ctxt, literal, "an index's name");
                names::check_not_reserved(self.ctxt, literal, &literal.value(), "an index's name");
                literal.value()
            }
            None => self.default_name(&columns, is_unique),
        };
        if self.names.claim(&name, "").is_some() {
            let message =
                format!("another index is already named `{name}`: remove one, or give it a name");
            self.ctxt.error(at, message);
        }
        self.indexes.push(Index { name, columns, is_unique });
    }

    /// Returns `{table}_{column}_{column}`, followed by `_unique` for a unique index.
    fn default_name(&self, columns: &[usize], is_unique: bool) -> String {
        let columns = columns.iter().filter_map(|&position| self.columns.get(position));
        let parts = std::iter::once(self.table)
            .chain(columns.map(|column| column.name.as_str()))
            .chain(is_unique.then_some("unique"));
        parts.collect::<Vec<_>>().join("_")
    }
}
