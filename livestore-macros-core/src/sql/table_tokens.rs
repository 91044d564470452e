//! The token form in which tables go down the chain of macros, from `#[table]` to `sql!`.
//!
//! Each table is one group, so that the macros on the way can pass it on without a look inside:
//!
//! ```text
//! {
//!     "todo"
//!     [("id" not_null: String) ("done" not_null default: bool) ("due": Option<Timestamp>)]
//!     [0]                             // the primary key, by the positions of its columns
//!     [("todo_due" [2])]              // the indexes; a unique one is `("…" unique [2])`
//! }
//! ```
//!
//! An empty group is a table that `sql!` knows nothing about.

use proc_macro2::{Delimiter, Group, Ident, Literal, TokenStream, TokenTree};
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::{LitInt, LitStr, Token, braced, bracketed, parenthesized};

use super::catalog::{Catalog, SqlColumn, SqlIndex, SqlTable};
use crate::parse::column::ColumnField;
use crate::parse::index::Index;
use crate::parse::table::TableItem;
use crate::types;

/// Writes a table.
pub(crate) fn of_table(table: &TableItem) -> TokenStream {
    let name = &table.name;
    let columns = table.columns.iter().map(column);
    let key = positions(&table.primary_key);
    let indexes = table.indexes.iter().map(index);
    quote!({ #name [#(#columns)*] [#key] [#(#indexes)*] })
}

/// Writes the table in which a client document is stored: its id and its JSON.
pub(crate) fn of_document(name: &str) -> TokenStream {
    quote!({ #name [("id" not_null: String) ("value" not_null: String)] [0] [] })
}

fn column(column: &ColumnField) -> TokenStream {
    let ColumnField { name, ty, default, .. } = column;
    let not_null = (!column.is_nullable()).then(|| quote!(not_null));
    let default = default.as_ref().map(|_| quote!(default));
    let ty = without_invisible_groups(quote!(#ty));
    quote!((#name #not_null #default: #ty))
}

fn index(index: &Index) -> TokenStream {
    let Index { name, columns, is_unique } = index;
    let unique = is_unique.then(|| quote!(unique));
    let columns = positions(columns);
    quote!((#name #unique [#columns]))
}

fn positions(positions: &[usize]) -> TokenStream {
    positions.iter().map(|&at| TokenTree::from(Literal::usize_unsuffixed(at))).collect()
}

/// A type that came through a `macro_rules!` is wrapped in a group without delimiters, which another
/// `macro_rules!` would not accept as tokens.
fn without_invisible_groups(tokens: TokenStream) -> TokenStream {
    let flatten = |token| match token {
        TokenTree::Group(group) => {
            let inside = without_invisible_groups(group.stream());
            if group.delimiter() == Delimiter::None {
                return inside;
            }
            let mut visible = Group::new(group.delimiter(), inside);
            visible.set_span(group.span());
            TokenTree::from(visible).into()
        }
        other => TokenStream::from(other),
    };
    tokens.into_iter().flat_map(flatten).collect()
}

/// Reads tables that stand one after the other.
pub(crate) fn read(tokens: TokenStream) -> syn::Result<Catalog> {
    let parser = |input: ParseStream<'_>| Ok(Catalog { tables: read_all(input, read_table)? });
    parser.parse2(tokens)
}

fn read_all<T>(
    input: ParseStream<'_>,
    read: impl Fn(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<Vec<T>> {
    let mut all = Vec::new();
    while !input.is_empty() {
        all.push(read(input)?);
    }
    Ok(all)
}

fn read_table(input: ParseStream<'_>) -> syn::Result<SqlTable> {
    let (table, columns, indexes);
    braced!(table in input);
    if table.is_empty() {
        return Ok(SqlTable::default());
    }
    let name = table.parse::<LitStr>()?.value();
    bracketed!(columns in table);
    let columns = read_all(&columns, read_column)?;
    let primary_key = read_positions(&table)?;
    bracketed!(indexes in table);
    let indexes = read_all(&indexes, read_index)?;
    Ok(SqlTable { name, columns, primary_key, indexes })
}

fn read_column(input: ParseStream<'_>) -> syn::Result<SqlColumn> {
    let column;
    parenthesized!(column in input);
    let name = column.parse::<LitStr>()?.value();
    let (mut nullable, mut has_default) = (true, false);
    while !column.peek(Token![:]) {
        let flag: Ident = column.parse()?;
        nullable &= flag != "not_null";
        has_default |= flag == "default";
    }
    column.parse::<Token![:]>()?;
    let ty = types::stable_text(column.parse::<TokenStream>()?);
    Ok(SqlColumn { name, ty, nullable, has_default })
}

fn read_index(input: ParseStream<'_>) -> syn::Result<SqlIndex> {
    let index;
    parenthesized!(index in input);
    let name = index.parse::<LitStr>()?.value();
    let is_unique = index.parse::<Option<Ident>>()?.is_some();
    Ok(SqlIndex { name, columns: read_positions(&index)?, is_unique })
}

fn read_positions(input: ParseStream<'_>) -> syn::Result<Vec<usize>> {
    let positions;
    bracketed!(positions in input);
    read_all(&positions, |input| input.parse::<LitInt>()?.base10_parse())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ctxt::Ctxt;

    #[test]
    fn a_table_is_read_as_it_is_written() {
        let ctxt = Ctxt::new();
        let attr = quote!(name = "to\"do", unique(name = "by_n", columns(n, id)));
        let item = syn::parse_quote! {
            struct Todo {
                #[column(primary_key, index)] id: String,
                #[column(default = 1)] n: Option<Vec<u8>>,
            }
        };
        let tokens = of_table(&TableItem::parse(&ctxt, attr, &item));
        assert!(ctxt.check().is_empty());
        let written = "{ \"to\\\"do\" [(\"id\" not_null : String) (\"n\" default : Option < Vec < u8 > >)] \
                       [0] [(\"to\\\"do_id\" [0]) (\"by_n\" unique [1 0])] }";
        assert_eq!(tokens.to_string(), written);

        // As it comes from the macro of a schema.
        let packed = tokens.to_string().parse().unwrap();
        let catalog = read(packed).unwrap();
        let [table] = &catalog.tables[..] else { panic!("one table") };
        assert_eq!((table.name.as_str(), &table.primary_key[..]), ("to\"do", &[0][..]));
        let column = |name: &str, ty: &str, nullable| SqlColumn {
            name: name.into(),
            ty: ty.into(),
            nullable,
            has_default: nullable,
        };
        let columns = [column("id", "String", false), column("n", "Option<Vec<u8>>", true)];
        assert_eq!(table.columns, columns);
        let indexes: Vec<_> = table.indexes.iter().map(|i| (&i.columns[..], i.is_unique)).collect();
        assert_eq!(indexes, [(&[0][..], false), (&[1, 0][..], true)]);
    }

    #[test]
    fn a_type_from_a_macro_is_the_same_as_one_typed_by_hand() {
        let inside = Group::new(Delimiter::None, quote!(Option<u8>));
        let tokens = without_invisible_groups(quote!(Vec<#inside>));
        assert!(tokens.clone().into_iter().all(|token| !matches!(token, TokenTree::Group(_))));
        assert_eq!(types::stable_text(tokens), "Vec<Option<u8>>");
    }

    #[test]
    fn an_unknown_table_has_no_name() {
        let catalog = read(quote!({} { "todo" [] [] [] })).unwrap();
        let names: Vec<_> = catalog.tables.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(names, ["", "todo"]);
    }
}
