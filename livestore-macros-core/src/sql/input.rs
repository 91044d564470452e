//! What stands in `sql!(…)`.

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, Lit, LitStr, Path, Token, Type, bracketed};

use super::text::SqlText;
use crate::parse::schema::parse_runtime;
use crate::runtime::Runtime;

/// `App as Row, "SELECT …", bind, …`
pub(crate) struct Input {
    pub(crate) runtime: Runtime,
    pub(crate) schema: Path,
    /// What a row becomes; `None`: a record made for it.
    pub(crate) row: Option<Type>,
    pub(crate) text: SqlText,
    pub(crate) binds: Vec<Expr>,
}

impl Input {
    pub(crate) fn parse(tokens: TokenStream) -> syn::Result<Self> {
        Self::parse_stream.parse2(tokens)
    }

    /// Behind the DDL that the schema's macro hands on: `["CREATE TABLE …", …] …`
    pub(crate) fn parse_with_ddl(tokens: TokenStream) -> syn::Result<(Vec<String>, Self)> {
        let parser = |input: ParseStream<'_>| {
            let content;
            bracketed!(content in input);
            let ddl = Punctuated::<LitStr, Token![,]>::parse_terminated(&content)?;
            Ok((ddl.iter().map(LitStr::value).collect(), Self::parse_stream(input)?))
        };
        parser.parse2(tokens)
    }

    fn parse_stream(input: ParseStream<'_>) -> syn::Result<Self> {
        let runtime = parse_runtime(input)?;
        if input.peek(Lit) {
            return Err(input.error("a schema goes first: write `sql!(App, \"SELECT …\")`"));
        }
        let schema = input.call(Path::parse_mod_style)?;
        let row = if input.parse::<Option<Token![as]>>()?.is_some() {
            Some(input.parse()?)
        } else {
            None
        };
        input.parse::<Token![,]>()?;
        let text = SqlText::new(literals(input)?);
        let binds = if input.parse::<Option<Token![,]>>()?.is_some() {
            Punctuated::<Expr, Token![,]>::parse_terminated(input)?.into_iter().collect()
        } else {
            Vec::new()
        };
        if !input.is_empty() {
            return Err(input.error("expected `,` and a value for a `?`"));
        }
        Ok(Self { runtime, schema, row, text, binds })
    }
}

fn literals(input: ParseStream<'_>) -> syn::Result<Vec<LitStr>> {
    let mut literals = Vec::new();
    while input.peek(LitStr) {
        literals.push(input.parse()?);
    }
    if literals.is_empty() {
        let message =
            "the SQL must be a string literal, to be read while compiling; `raw` takes any text";
        return Err(match input.parse::<Expr>() {
            Ok(other) => syn::Error::new_spanned(other, message),
            Err(_) => input.error(message),
        });
    }
    Ok(literals)
}
