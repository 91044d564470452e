//! The macros through which `sql!` learns of a schema's tables.
//!
//! Each table and client document defines a macro of its own name, which knows its DDL; macros have a
//! namespace of their own, so that `use models::Todo` brings both. `schema!` calls them in a chain:
//! each adds its DDL and calls the next. At the end [`schema_macro`] defines a macro named after the
//! schema, which hands all DDL to whoever calls it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::parse::{ParseStream, Parser};
use syn::{LitStr, Type, Visibility, braced, bracketed, parenthesized};

use crate::parse::column::Column;
use crate::parse::names;
use crate::parse::schema::Schema;
use crate::parse::table::Table;
use crate::sql::known::SEPARATOR;

/// Of a table.
pub(crate) fn of_table(table: &Table) -> TokenStream {
    in_chain(&table.vis, &table.ident, &ddl(table))
}

/// Of a client document: its id and its JSON.
pub(crate) fn of_document(vis: &Visibility, ident: &Ident, name: &str) -> TokenStream {
    let ddl = format!(
        "CREATE TABLE {} (\"id\" \"String\" NOT NULL, \"value\" \"String\" NOT NULL, PRIMARY KEY (\"id\"));\n",
        quoted(name)
    );
    in_chain(vis, ident, &ddl)
}

/// A macro that adds `ddl` and calls the next.
fn in_chain(vis: &Visibility, ident: &Ident, ddl: &str) -> TokenStream {
    let name = names::plain(ident);
    let no_schema =
        format!("`{name}` is not a schema: `sql!` takes the one that `schema!` declares");
    let rules = quote! {
        ([[$($next:tt)*] $($rest:tt)*] $($state:tt)*) => {
            $($next)*! { [$($rest)*] $($state)* #ddl }
        };
        ($($sql:tt)*) => { ::core::compile_error!(#no_schema) };
    };
    define(vis, ident, &rules)
}

/// The start of the chain. A type without such a macro breaks it, and is an error; `code`, which would
/// give more errors about that type, comes at the end.
pub(crate) fn of_schema(schema: &Schema, code: &TokenStream) -> TokenStream {
    let Schema { runtime, vis, ident, tables, documents, .. } = schema;
    let listed = tables.iter().chain(documents).map(|ty| match ty {
        Type::Path(path) if path.qself.is_none() => path.to_token_stream(),
        _ => quote!(#runtime::unknown_table),
    });
    let listed: Vec<_> = listed.collect();
    // The compiler follows 128 macros that call each other; so a long chain is made of shorter ones.
    let (mut parts, mut links) = (TokenStream::new(), Vec::new());
    for (n, tables) in listed.chunks(LONGEST).enumerate() {
        if listed.len() <= LONGEST {
            links.extend_from_slice(tables);
            continue;
        }
        let part = format_ident!("__livestore_{}_part_{n}", names::plain(ident));
        parts.extend(chain(tables, &quote!(#runtime::schema_part), &quote!(#part)));
        links.push(quote!(#part));
    }
    parts.extend(chain(&links, &quote!(#runtime::schema_macro), &quote!({ #code } (#vis) #ident)));
    parts
}

const LONGEST: usize = 64;

fn chain(links: &[TokenStream], end: &TokenStream, state: &TokenStream) -> TokenStream {
    let mut links = links.iter().chain([end]);
    let first = links.next();
    quote!(#first! { [#([#links])*] #state })
}

/// The end of a part of a long chain, which becomes a link of it: `[] name "CREATE TABLE …" …`
pub(crate) fn schema_part(input: TokenStream) -> syn::Result<TokenStream> {
    let parser = |input: ParseStream<'_>| {
        let _done;
        bracketed!(_done in input);
        Ok((input.parse::<Ident>()?, parse_ddl(input)?))
    };
    let (part, ddl) = parser.parse2(input)?;
    Ok(in_chain(&Visibility::Inherited, &part, &ddl))
}

fn parse_ddl(input: ParseStream<'_>) -> syn::Result<String> {
    let mut ddl = Vec::new();
    while !input.is_empty() {
        ddl.push(input.parse::<LitStr>()?.value());
    }
    Ok(ddl.join(&String::from(SEPARATOR)))
}

/// The end of the chain: `[] { code } (pub) App "CREATE TABLE …" …`
pub(crate) fn schema_macro(input: TokenStream) -> syn::Result<TokenStream> {
    let parser = |input: ParseStream<'_>| {
        let (_done, code, vis);
        bracketed!(_done in input);
        braced!(code in input);
        parenthesized!(vis in input);
        let code: TokenStream = code.parse()?;
        let (vis, ident): (Visibility, Ident) = (vis.parse()?, input.parse()?);
        Ok((code, vis, ident, parse_ddl(input)?))
    };
    let (code, vis, ident, ddl) = parser.parse2(input)?;
    let rule = quote! {
        ([$($callback:tt)*] $($input:tt)*) => {
            $($callback)*! { #ddl $($input)* }
        };
    };
    let sql_macro = define(&vis, &ident, &rule);
    Ok(quote!(#code #sql_macro))
}

/// A macro that can be named wherever the type can.
fn define(vis: &Visibility, ident: &Ident, rules: &TokenStream) -> TokenStream {
    let hidden = hidden_name(ident);
    // A macro is public in the root of its crate, or not at all.
    let export = match vis {
        Visibility::Public(_) => quote!(#[macro_export] #[allow(non_local_definitions)]),
        _ => quote!(#[allow(unused_macros)]),
    };
    quote! {
        #[doc(hidden)]
        #export
        macro_rules! #hidden { #rules }
        #[doc(hidden)]
        #[allow(unused_imports, unreachable_pub)]
        #vis use #hidden as #ident;
    }
}

/// Two types of a crate may have the same name, in two modules. The compiler expands a crate in one
/// process and always in the same order, so counting gives the same names each time.
fn hidden_name(ident: &Ident) -> Ident {
    static GIVEN: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());
    let name = names::plain(ident);
    if !proc_macro::is_available() {
        return format_ident!("__livestore_{name}");
    }
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let before = given.entry(name.clone()).or_default();
    *before += 1;
    match *before {
        1 => format_ident!("__livestore_{name}"),
        several => format_ident!("__livestore_{name}_{several}"),
    }
}

/// What a table is to a statement: the columns with their Rust types, the keys, the indexes.
fn ddl(table: &Table) -> String {
    let mut parts: Vec<_> = table.columns.iter().map(column).collect();
    parts.push(format!("PRIMARY KEY ({})", columns(table, &table.primary_key)));
    let name = quoted(&table.name);
    let mut ddl = format!("CREATE TABLE {name} ({});\n", parts.join(", "));
    for index in &table.indexes {
        let unique = if index.is_unique { "UNIQUE " } else { "" };
        let columns = columns(table, &index.columns);
        let index = quoted(&index.name);
        ddl += &format!("CREATE {unique}INDEX {index} ON {name} ({columns});\n");
    }
    ddl
}

fn column(column: &Column) -> String {
    let name = quoted(&column.name);
    let ty = quoted(&crate::types::stable_text(&column.ty));
    let not_null = if column.is_nullable() { "" } else { " NOT NULL" };
    // Its value is not known here.
    let default = if column.default.is_some() { " DEFAULT 0" } else { "" };
    format!("{name} {ty}{not_null}{default}")
}

fn columns(table: &Table, positions: &[usize]) -> String {
    let known = positions.iter().filter_map(|&position| table.columns.get(position));
    known.map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ")
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
