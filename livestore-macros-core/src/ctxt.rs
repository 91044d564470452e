//! Collects every error of one macro call, so that the user sees all of them at once.

use std::cell::RefCell;
use std::fmt::Display;
use std::thread;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// The errors found so far.
///
/// Parsers take it by shared reference, record each mistake, and go on with a sensible guess. A
/// `Ctxt` that is dropped without [`check`](Self::check) panics in a debug build, even when it is
/// empty: otherwise a macro could swallow the errors that it has recorded.
#[must_use = "errors reach the user only through `check`"]
pub(crate) struct Ctxt {
    /// `None` once they have been handed over.
    errors: RefCell<Option<Vec<syn::Error>>>,
}

impl Ctxt {
    pub(crate) fn new() -> Self {
        Self { errors: RefCell::new(Some(Vec::new())) }
    }

    /// Records an error that underlines `tokens`.
    pub(crate) fn error(&self, tokens: impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// Records an error.
    pub(crate) fn push(&self, error: syn::Error) {
        self.errors.borrow_mut().get_or_insert_default().push(error);
    }

    /// Returns the value, or records the error and returns `None`.
    pub(crate) fn ok<T>(&self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Whether an error has been recorded.
    pub(crate) fn has_errors(&self) -> bool {
        self.errors.borrow().as_ref().is_some_and(|errors| !errors.is_empty())
    }

    /// Returns one `compile_error!` per error, and nothing if there are none.
    pub(crate) fn check(self) -> TokenStream {
        let errors = self.errors.take().unwrap_or_default();
        errors.iter().map(syn::Error::to_compile_error).collect()
    }
}

impl Drop for Ctxt {
    fn drop(&mut self) {
        let is_checked = self.errors.get_mut().is_none();
        debug_assert!(is_checked || thread::panicking(), "a `Ctxt` was dropped without `check`");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_becomes_a_compile_error() {
        let ctxt = Ctxt::new();
        assert!(!ctxt.has_errors());
        ctxt.push(syn::Error::new(proc_macro2::Span::call_site(), "first"));
        ctxt.error(quote::quote!(x), "second");
        assert!(ctxt.has_errors());
        assert_eq!(ctxt.check().to_string().matches("compile_error").count(), 2);
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "dropped without `check`")]
    fn cannot_be_dropped_unseen() {
        drop(Ctxt::new());
    }
}
