//! The input of `sql!(…)`.

use proc_macro2::{Literal, TokenStream};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, Lit, LitStr, Path, Token, Type};

use super::text::SqlText;
use crate::parse::schema::parse_runtime;
use crate::runtime::Runtime;

/// `App as Row, "SELECT …", bind, …`
pub(crate) struct Input {
    pub(crate) runtime: Runtime,
    pub(crate) schema: Path,
    /// The type that a row becomes; `None` for a record made for this query.
    pub(crate) row: Option<Type>,
    pub(crate) text: SqlText,
    pub(crate) binds: Vec<Expr>,
}

impl Input {
    /// Reads the call that a schema's macro makes: its tables in one literal, and the user's input.
    pub(crate) fn parse_with_tables(tokens: TokenStream) -> syn::Result<(Literal, Self)> {
        let parser = |input: ParseStream<'_>| Ok((input.parse()?, Self::parse(input)?));
        parser.parse2(tokens)
    }

    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let (runtime, schema) = parse_schema(input)?;
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

/// Reads the schema only: the rest is read once the schema's macro has handed on the tables.
pub(crate) fn schema(tokens: TokenStream) -> syn::Result<(Runtime, Path)> {
    let parser = |input: ParseStream<'_>| {
        let schema = parse_schema(input)?;
        input.parse::<TokenStream>()?;
        Ok(schema)
    };
    parser.parse2(tokens)
}

fn parse_schema(input: ParseStream<'_>) -> syn::Result<(Runtime, Path)> {
    let runtime = parse_runtime(input)?;
    if input.is_empty() || input.peek(Lit) {
        return Err(input.error("a schema goes first: write `sql!(App, \"SELECT …\")`"));
    }
    Ok((runtime, input.call(Path::parse_mod_style)?))
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
