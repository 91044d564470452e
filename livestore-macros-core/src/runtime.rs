//! The path of the runtime that generated code is written against.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Path;

use crate::keys::{Key, KeyValue};

/// `::livestore::__private`, or the same under the path given with `crate = path`.
#[derive(Default)]
pub(crate) struct Runtime {
    path: KeyValue<Path>,
}

impl Runtime {
    /// Reads `crate = path`.
    pub(crate) fn read(&mut self, key: &Key<'_>) -> syn::Result<()> {
        let path = key.value_with(Path::parse_mod_style, "crate = path::to::livestore")?;
        self.path.set(key, path)
    }

    /// For a path that is not given as a key.
    pub(crate) fn with_path(path: Path) -> Self {
        Self { path: KeyValue::of(path) }
    }

    /// Returns the path with all its tokens at `span`, for an expression that is underlined as a whole.
    pub(crate) fn located_at(&self, span: Span) -> TokenStream {
        located_at(self, span)
    }
}

/// Returns the same tokens at `span`.
pub(crate) fn located_at(tokens: impl ToTokens, span: Span) -> TokenStream {
    let moved = |mut token: TokenTree| {
        token.set_span(span);
        token
    };
    tokens.into_token_stream().into_iter().map(moved).collect()
}

impl ToTokens for Runtime {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(match self.path.get() {
            Some(path) => quote!(#path::__private),
            None => quote!(::livestore::__private),
        });
    }
}
