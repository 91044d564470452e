//! Turns a row of the result into a record made for it, a tuple, or a struct of the user's.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{PathArguments, Type};

use super::CheckedStatement;
use super::alias_types::Annotation;
use super::infer::{OutputColumn, Ty};
use crate::parse::names::UsedNames;
use crate::runtime::located_at;

/// Returns the definition of a record, if one is made, and the expression that reads a row.
pub(super) fn expand(
    statement: &CheckedStatement,
    outputs: &[OutputColumn],
) -> syn::Result<(TokenStream, TokenStream)> {
    match &statement.input.row {
        None => record(statement, outputs),
        Some(Type::Tuple(tuple)) => {
            let types: Vec<_> = tuple.elems.iter().collect();
            Ok((TokenStream::new(), self::tuple(statement, outputs, tuple, &types)?))
        }
        Some(Type::Path(path)) => Ok((TokenStream::new(), named(statement, outputs, path)?)),
        Some(other) => {
            let message =
                "expected a struct or a tuple: write `App as Line` or `App as (String, i64)`";
            Err(syn::Error::new_spanned(other, message))
        }
    }
}

fn record(
    statement: &CheckedStatement,
    outputs: &[OutputColumn],
) -> syn::Result<(TokenStream, TokenStream)> {
    let fields = fields(statement, outputs)?;
    let types: Vec<_> = (0..fields.len()).map(|n| format_ident!("C{n}")).collect();
    let definition = quote! {
        #[allow(dead_code, non_snake_case)]
        #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::cmp::PartialEq)]
        struct Record<#(#types),*> { #(pub #fields: #types),* }
    };
    let reads = outputs.iter().enumerate().map(|(at, output)| {
        let Some(of) = statement.of(output) else {
            return Err(untyped(statement, output));
        };
        Ok(quote_spanned!(Span::mixed_site()=> sql.read(row, #at, #of)?))
    });
    let reads = collect(reads)?;
    Ok((definition, quote!(Record { #(#fields: #reads),* })))
}

fn tuple(
    statement: &CheckedStatement,
    outputs: &[OutputColumn],
    tuple: &syn::TypeTuple,
    types: &[&Type],
) -> syn::Result<TokenStream> {
    if types.len() != outputs.len() {
        let columns = match outputs.len() {
            1 => "one column".to_owned(),
            n => format!("{n} columns"),
        };
        let message = format!("the result has {columns}, but this tuple has {}", types.len());
        return Err(syn::Error::new_spanned(tuple, message));
    }
    let runtime = &statement.input.runtime;
    let reads = types.iter().zip(outputs).enumerate().map(|(at, (ty, output))| {
        let span = ty.span().resolved_at(Span::mixed_site());
        match statement.of(output) {
            Some(of) => quote_spanned! {span=> {
                let of = #of;
                #runtime::sql::ReadElement::<_, #ty>::read_element(of, row, #at)?
            }},
            None => quote_spanned!(span=> sql.read_any::<#ty>(row, #at)?),
        }
    });
    Ok(quote!((#(#reads,)*)))
}

fn named(
    statement: &CheckedStatement,
    outputs: &[OutputColumn],
    path: &syn::TypePath,
) -> syn::Result<TokenStream> {
    if let Some(last) = path.path.segments.last()
        && ONE_VALUE.iter().any(|name| last.ident == name)
    {
        let message = format!(
            "a single column is a tuple, too: write `({},)`",
            crate::types::stable_text(path)
        );
        return Err(syn::Error::new_spanned(path, message));
    }
    let runtime = &statement.input.runtime;
    let fields = fields(statement, outputs)?;
    let reads = outputs.iter().zip(&fields).enumerate().map(|(at, (output, field))| {
        let span = field.span().resolved_at(Span::mixed_site());
        match statement.of(output) {
            Some(of) => {
                let name = marker(output, at);
                quote_spanned!(span=> {
                    #[allow(non_camel_case_types, dead_code)]
                    struct #name;
                    let of = #of;
                    #runtime::sql::ReadField::<#name, _, _>::read_field(of, row, #at)?
                })
            }
            None => quote_spanned!(span=> sql.read_any(row, #at)?),
        }
    });
    let mut path = path.clone();
    for segment in &mut path.path.segments {
        if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
            arguments.colon2_token = Some(syn::Token![::](arguments.lt_token.span));
        }
    }
    Ok(quote!(#path { #(#fields: #reads),* }))
}

/// Types without fields that one might write where a struct is expected.
const ONE_VALUE: [&str; 17] = [
    "i8",
    "i16",
    "i32",
    "i64",
    "u8",
    "u16",
    "u32",
    "u64",
    "f32",
    "f64",
    "bool",
    "String",
    "Vec",
    "Option",
    "Timestamp",
    "usize",
    "isize",
];

/// The name of the type by which the compiler's messages name the column.
fn marker(output: &OutputColumn, at: usize) -> Ident {
    let name = output.name.as_deref().and_then(|name| syn::parse_str::<Ident>(name).ok());
    match name {
        Some(name) => Ident::new(&name.to_string(), Span::mixed_site()),
        None => format_ident!("column_{}", at + 1, span = Span::mixed_site()),
    }
}

/// Returns one field per column.
fn fields(statement: &CheckedStatement, outputs: &[OutputColumn]) -> syn::Result<Vec<Ident>> {
    let text = &statement.input.text;
    let mut used = UsedNames::default();
    let fields = outputs.iter().map(|output| {
        let name = output.name.as_deref().unwrap_or_default();
        let span = text.span_of(&output.span);
        let mut ident = syn::parse_str::<Ident>(name)
            .or_else(|_| syn::parse_str::<Ident>(&format!("r#{name}")))
            .map_err(|_| {
                text.error(&output.span, "this column needs a name for its field: write `AS name`")
            })?;
        if used.claim(&ident.to_string(), name).is_some() {
            let message = format!("two columns are called `{name}`: rename one with `AS`");
            return Err(text.error(&output.span, &message));
        }
        ident.set_span(span);
        Ok(ident)
    });
    collect(fields)
}

fn untyped(statement: &CheckedStatement, output: &OutputColumn) -> syn::Error {
    let name = output.name.as_deref().unwrap_or("n");
    let message =
        format!("the type of this column cannot be inferred: write it, as in `AS \"{name}: i64\"`");
    statement.input.text.error(&output.span, &message)
}

/// Returns all values, or all errors.
fn collect<T>(results: impl Iterator<Item = syn::Result<T>>) -> syn::Result<Vec<T>> {
    let (mut values, mut errors) = (Vec::new(), None::<syn::Error>);
    for result in results {
        match (result, &mut errors) {
            (Ok(value), _) => values.push(value),
            (Err(error), Some(errors)) => errors.combine(error),
            (Err(error), None) => errors = Some(error),
        }
    }
    errors.map_or(Ok(values), Err)
}

impl CheckedStatement {
    /// Returns the type of a result column as an expression, or `None` if its type is not known.
    pub(super) fn of(&self, output: &OutputColumn) -> Option<TokenStream> {
        let mut typed = output.typed;
        match self.annotations.get(&output.span.start) {
            Some(Annotation::Type(ty)) => {
                let ty = located_at(ty, self.input.text.span_of(&output.span));
                return Some(quote_spanned!(Span::mixed_site()=> sql.of::<#ty>()));
            }
            Some(Annotation::NotNull) => typed.nullable = false,
            Some(Annotation::Nullable) => typed.nullable = true,
            None => {}
        }
        match typed.ty {
            Ty::Unknown | Ty::Null => None,
            _ => Some(self.type_of(typed)),
        }
    }
}
