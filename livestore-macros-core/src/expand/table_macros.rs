//! The macros through which `sql!` learns of a schema's tables.
//!
//! Each table and client document defines a macro of its own name, which knows its columns; macros have
//! a namespace of their own, so that `use models::Todo` imports both. `schema!` calls them in a chain:
//! each adds its table, in the form of [`table_tokens`], and calls the next. At the end [`schema_macro`]
//! defines a macro named after the schema, which hands all tables to whoever calls it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Type, Visibility, braced, bracketed, parenthesized};

use crate::parse::client_document::ClientDocument;
use crate::parse::names;
use crate::parse::schema::SchemaItem;
use crate::parse::table::TableItem;
use crate::sql::table_tokens;

/// The macro of a table.
pub(crate) fn of_table(table: &TableItem) -> TokenStream {
    link(&table.vis, &table.ident, &table_tokens::of_table(table))
}

/// The macro of a client document.
pub(crate) fn of_document(document: &ClientDocument) -> TokenStream {
    link(&document.vis, &document.ident, &table_tokens::of_document(&document.name))
}

/// A macro that adds `tables` to the chain and calls the next.
fn link(vis: &Visibility, ident: &Ident, tables: &TokenStream) -> TokenStream {
    let name = names::plain(ident);
    let no_schema =
        format!("`{name}` is not a schema: `sql!` takes the one that `schema!` declares");
    let rules = quote! {
        ([[$($next:tt)*] $($rest:tt)*] $($state:tt)*) => {
            $($next)*! { [$($rest)*] $($state)* #tables }
        };
        ($($sql:tt)*) => { ::core::compile_error!(#no_schema) };
    };
    define(vis, ident, &rules)
}

/// Starts the chain. A type without such a macro breaks it, and is an error; `code`, which would give
/// more errors about that type, comes at the end.
pub(crate) fn of_schema(schema: &SchemaItem, code: &TokenStream) -> TokenStream {
    let SchemaItem { runtime, vis, ident, tables, documents, .. } = schema;
    let listed = tables.iter().chain(documents).map(|ty| match ty {
        Type::Path(path) if path.qself.is_none() => path.to_token_stream(),
        _ => quote!(#runtime::unknown_table),
    });
    let listed: Vec<_> = listed.collect();
    // The compiler follows 128 macros that call each other, so a long chain is made of shorter ones.
    let (mut parts, mut links) = (TokenStream::new(), Vec::new());
    for (n, tables) in listed.chunks(MAX_LINKS).enumerate() {
        if listed.len() <= MAX_LINKS {
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

const MAX_LINKS: usize = 64;

fn chain(links: &[TokenStream], end: &TokenStream, state: &TokenStream) -> TokenStream {
    let mut links = links.iter().chain([end]);
    let first = links.next();
    quote!(#first! { [#([#links])*] #state })
}

/// Ends a part of a long chain, and makes it a link of the whole: `[] name {"todo" …} …`
pub(crate) fn schema_part(input: TokenStream) -> syn::Result<TokenStream> {
    let parser = |input: ParseStream<'_>| {
        let _links;
        bracketed!(_links in input);
        Ok((input.parse::<Ident>()?, input.parse::<TokenStream>()?))
    };
    let (part, tables) = parser.parse2(input)?;
    Ok(link(&Visibility::Inherited, &part, &tables))
}

/// Ends the chain: `[] { code } (pub) App {"todo" …} …`
///
/// The macro of the schema hands on all tables packed into one literal, since the compiler copies every
/// token for each `sql!`: as thousands of tokens, they would make 200 of them 7 % slower to compile.
pub(crate) fn schema_macro(input: TokenStream) -> syn::Result<TokenStream> {
    let parser = |input: ParseStream<'_>| {
        let (_links, code, vis);
        bracketed!(_links in input);
        braced!(code in input);
        parenthesized!(vis in input);
        let code: TokenStream = code.parse()?;
        let (vis, ident): (Visibility, Ident) = (vis.parse()?, input.parse()?);
        Ok((code, vis, ident, input.parse::<TokenStream>()?))
    };
    let (code, vis, ident, tables) = parser.parse2(input)?;
    let tables = tables.to_string();
    let rule = quote! {
        ([$($callback:tt)*] $($input:tt)*) => {
            $($callback)*! { #tables $($input)* }
        };
    };
    let sql_macro = define(&vis, &ident, &rule);
    Ok(quote!(#code #sql_macro))
}

/// Defines a macro that can be named wherever the type can.
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
    static COUNTS: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());
    let name = names::plain(ident);
    if !proc_macro::is_available() {
        return format_ident!("__livestore_{name}");
    }
    let mut counts = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    let count = counts.entry(name.clone()).or_default();
    *count += 1;
    match *count {
        1 => format_ident!("__livestore_{name}"),
        several => format_ident!("__livestore_{name}_{several}"),
    }
}
