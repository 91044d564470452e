//! Reads lists of `key`, `key = value` and `key(..)`, which all our attributes consist of.
//!
//! Unlike `syn`'s `parse_nested_meta` this goes on after an error, so that each wrong key gets its
//! own message.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, LitStr, Token, parenthesized, token};

use crate::ctxt::Ctxt;
use crate::suggest;

/// One key of a list, with the input behind it.
pub(crate) struct Key<'a> {
    pub(crate) ident: Ident,
    pub(crate) input: ParseStream<'a>,
}

/// Calls `read` for every key in every `#[name(..)]` among `attrs`.
pub(crate) fn each_attribute_key(
    ctxt: &Ctxt,
    attrs: &[Attribute],
    name: &str,
    mut read: impl FnMut(&Key<'_>) -> syn::Result<()>,
) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(name)) {
        ctxt.ok(attr.parse_args_with(|input: ParseStream<'_>| {
            each_key(ctxt, input, &mut read);
            Ok(())
        }));
    }
}

/// Calls `read` for every key in the arguments of an attribute macro.
pub(crate) fn each_argument_key(
    ctxt: &Ctxt,
    arguments: TokenStream,
    mut read: impl FnMut(&Key<'_>) -> syn::Result<()>,
) {
    let parser = |input: ParseStream<'_>| {
        each_key(ctxt, input, &mut read);
        Ok(())
    };
    ctxt.ok(parser.parse2(arguments));
}

/// Calls `read` for every key up to the end of `input`; an error spoils its own key only.
pub(crate) fn each_key(
    ctxt: &Ctxt,
    input: ParseStream<'_>,
    mut read: impl FnMut(&Key<'_>) -> syn::Result<()>,
) {
    while !input.is_empty() {
        let result = input
            .call(Ident::parse_any)
            .and_then(|ident| read(&Key { ident, input }))
            .and_then(|()| expect_end_of_key(input));
        if ctxt.ok(result).is_none() {
            skip_to_comma(input);
        }
        // Now comes a comma or the end.
        let _ = input.parse::<Option<Token![,]>>();
    }
}

fn expect_end_of_key(input: ParseStream<'_>) -> syn::Result<()> {
    if input.is_empty() || input.peek(Token![,]) {
        Ok(())
    } else {
        Err(input.error("expected `,`"))
    }
}

fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        let _ = input.parse::<TokenTree>();
    }
}

/// Runs `parse`, which must read all of `content`. Even after an error nothing is left, which `syn`
/// would report a second time.
pub(crate) fn read_all<T>(
    content: ParseStream<'_>,
    parse: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<T> {
    let result = parse(content).and_then(|value| match content.is_empty() {
        true => Ok(value),
        false => Err(content.error("unexpected token")),
    });
    content.parse::<TokenStream>()?;
    result
}

impl Key<'_> {
    pub(crate) fn name(&self) -> String {
        self.ident.to_string()
    }

    /// Reads `= "text"`.
    pub(crate) fn string(&self) -> syn::Result<LitStr> {
        self.value(&format!("{} = \"…\"", self.ident))
    }

    /// Reads `= value`; `usage` shows in the error how it should have looked.
    pub(crate) fn value<T: Parse>(&self, usage: &str) -> syn::Result<T> {
        self.value_with(T::parse, usage)
    }

    /// Reads `= value` with `parse`.
    pub(crate) fn value_with<T>(
        &self,
        parse: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
        usage: &str,
    ) -> syn::Result<T> {
        let has_equals = self.input.parse::<Option<Token![=]>>()?.is_some();
        if !has_equals || self.input.is_empty() || self.input.peek(Token![,]) {
            let message = format!("`{}` needs a value: write `{usage}`", self.ident);
            return Err(syn::Error::new_spanned(&self.ident, message));
        }
        parse(self.input)
            .map_err(|error| syn::Error::new(error.span(), format!("{error}: write `{usage}`")))
    }

    /// Reads a key that stands alone.
    pub(crate) fn flag(&self) -> syn::Result<()> {
        if self.has_value() || self.has_list() {
            let message = format!("`{0}` takes no value: write just `{0}`", self.ident);
            return Err(syn::Error::new_spanned(&self.ident, message));
        }
        Ok(())
    }

    /// Reads `(a, b)`, a list of field names.
    pub(crate) fn fields(&self) -> syn::Result<Vec<Ident>> {
        if !self.has_list() {
            let message = format!("`{0}` needs fields: write `{0}(a, b)`", self.ident);
            return Err(syn::Error::new_spanned(&self.ident, message));
        }
        let fields = self.list(|content| {
            Punctuated::<_, Token![,]>::parse_terminated_with(content, Ident::parse_any)
        })?;
        if fields.is_empty() {
            let message = format!("`{0}` names no field: write `{0}(a, b)`", self.ident);
            return Err(syn::Error::new_spanned(&self.ident, message));
        }
        Ok(fields.into_iter().collect())
    }

    /// Reads `(..)`, the inside with `parse`.
    pub(crate) fn list<T>(
        &self,
        parse: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
    ) -> syn::Result<T> {
        let content;
        parenthesized!(content in self.input);
        read_all(&content, parse)
    }

    pub(crate) fn has_value(&self) -> bool {
        self.input.peek(Token![=])
    }

    pub(crate) fn has_list(&self) -> bool {
        self.input.peek(token::Paren)
    }

    /// Skips a key that another macro reads.
    pub(crate) fn skip(&self) -> syn::Result<()> {
        skip_to_comma(self.input);
        Ok(())
    }

    /// The error for an unknown key in `#[attribute(..)]`.
    pub(crate) fn unknown(&self, attribute: &str, known: &[&str]) -> syn::Error {
        let hint = suggest::hint(&self.name(), known);
        let message = format!("unknown key `{}` in `#[{attribute}(..)]`{hint}", self.ident);
        syn::Error::new_spanned(&self.ident, message)
    }

    /// The error for a key of serde's that is not supported at this place.
    pub(crate) fn unsupported_serde(&self, place: &str, supported: &[&str]) -> syn::Error {
        let message = match suggest::closest(&self.name(), supported.iter().copied()) {
            Some(near) => {
                format!("unknown key `{}` in `#[serde(..)]`: did you mean `{near}`?", self.ident)
            }
            None => format!(
                "`#[serde({})]` is not supported on {place}: supported are {}",
                self.ident,
                suggest::all(supported)
            ),
        };
        syn::Error::new_spanned(&self.ident, message)
    }
}

/// The value of a key that may be given once.
pub(crate) struct KeyValue<T>(Option<T>);

impl<T> Default for KeyValue<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> KeyValue<T> {
    pub(crate) fn of(value: T) -> Self {
        Self(Some(value))
    }

    pub(crate) fn set(&mut self, key: &Key<'_>, value: T) -> syn::Result<()> {
        if self.0.is_some() {
            let message = format!("`{}` is given twice: remove one", key.ident);
            return Err(syn::Error::new_spanned(&key.ident, message));
        }
        self.0 = Some(value);
        Ok(())
    }

    pub(crate) fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }

    pub(crate) fn take(self) -> Option<T> {
        self.0
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.is_some()
    }
}
