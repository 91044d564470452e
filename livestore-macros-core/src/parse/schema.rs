//! `schema! { pub App { tables: [..], documents: [..], events: [..], commands: [..], undo: [..] } }`

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Path, Token, Type, Visibility, braced, bracketed};

use crate::ctxt::Ctxt;
use crate::keys::read_all;
use crate::runtime::Runtime;
use crate::suggest;
use crate::types;

const LISTS: [&str; 5] = ["tables", "documents", "events", "commands", "undo"];

/// A schema: all tables, client documents and events of an app.
pub(crate) struct SchemaItem {
    pub(crate) runtime: Runtime,
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) ident: Ident,
    pub(crate) tables: Vec<Type>,
    pub(crate) documents: Vec<Type>,
    pub(crate) events: Vec<Type>,
    pub(crate) commands: Vec<Type>,
    /// The events that can be undone.
    pub(crate) undo: Vec<Type>,
}

impl SchemaItem {
    /// Returns `None` if not even the schema's name could be read.
    pub(crate) fn parse(ctxt: &Ctxt, input: TokenStream) -> Option<Self> {
        let parser = |input: ParseStream<'_>| {
            let schema = Self::parse_header(ctxt, input);
            // The rest was reported; `parse2` would report it again.
            input.parse::<TokenStream>()?;
            schema
        };
        ctxt.ok(parser.parse2(input))
    }

    fn parse_header(ctxt: &Ctxt, input: ParseStream<'_>) -> syn::Result<Self> {
        let runtime = parse_runtime(input)?;
        let mut schema = Self {
            runtime,
            attrs: input.call(Attribute::parse_outer)?,
            vis: input.parse()?,
            ident: input.parse().map_err(|error| {
                let message = format!("{error}: write `pub App {{ tables: [..], events: [..] }}`");
                syn::Error::new(error.span(), message)
            })?,
            tables: Vec::new(),
            documents: Vec::new(),
            events: Vec::new(),
            commands: Vec::new(),
            undo: Vec::new(),
        };
        ctxt.ok(schema.parse_lists(ctxt, input));
        if !input.is_empty() {
            ctxt.push(input.error("expected nothing after the schema"));
        }
        Ok(schema)
    }

    fn parse_lists(&mut self, ctxt: &Ctxt, input: ParseStream<'_>) -> syn::Result<()> {
        let content;
        braced!(content in input);
        read_all(&content, |content| {
            let mut seen = Vec::new();
            while !content.is_empty() {
                let key = content.call(Ident::parse_any)?;
                content.parse::<Token![:]>()?;
                let types = parse_types(ctxt, content)?;
                if seen.contains(&key) {
                    ctxt.error(&key, format!("`{key}` is given twice: make it one list"));
                } else {
                    self.set_list(ctxt, &key, types);
                }
                seen.push(key);
                if !content.is_empty() {
                    content.parse::<Token![,]>()?;
                }
            }
            Ok(())
        })
    }

    fn set_list(&mut self, ctxt: &Ctxt, key: &Ident, types: Vec<Type>) {
        match key.to_string().as_str() {
            "tables" => self.tables = types,
            "documents" => self.documents = types,
            "events" => self.events = types,
            "commands" => self.commands = types,
            "undo" => self.undo = types,
            other => {
                let hint = suggest::hint(other, &LISTS);
                ctxt.error(key, format!("unknown list `{other}`{hint}"));
            }
        }
    }
}

/// Reads `crate = path;`.
pub(crate) fn parse_runtime(input: ParseStream<'_>) -> syn::Result<Runtime> {
    if !(input.peek(Token![crate]) && input.peek2(Token![=])) {
        return Ok(Runtime::default());
    }
    input.parse::<Token![crate]>()?;
    input.parse::<Token![=]>()?;
    let path = input.call(Path::parse_mod_style)?;
    input.parse::<Token![;]>()?;
    Ok(Runtime::with_path(path))
}

/// Reads `[A, b::B]`. A type that is listed twice is reported, and left out.
fn parse_types(ctxt: &Ctxt, input: ParseStream<'_>) -> syn::Result<Vec<Type>> {
    let content;
    bracketed!(content in input);
    if content.peek(Token![#]) {
        let message = "a list has no attributes: put `#[cfg]` on two whole `schema!`s";
        let error = content.error(message);
        content.parse::<TokenStream>()?;
        return Err(error);
    }
    let listed = read_all(&content, Punctuated::<Type, Token![,]>::parse_terminated)?;
    let (mut types, mut texts) = (Vec::new(), Vec::new());
    for ty in &listed {
        let ty = types::ungrouped(ty);
        let text = types::stable_text(&ty);
        if texts.contains(&text) {
            ctxt.error(&ty, format!("`{text}` is listed twice: remove one"));
        } else {
            types.push(ty);
            texts.push(text);
        }
    }
    Ok(types)
}
