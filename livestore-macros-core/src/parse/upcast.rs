//! `upcast("v1.TodoCreated", with = from_v1)`: an event that is read as a newer one.

use proc_macro2::Ident;
use syn::parse::ParseStream;
use syn::{ExprPath, LitStr, Token};

use crate::ctxt::Ctxt;
use crate::keys::Key;
use crate::parse::names::UsedNames;

/// An older event that is read as this one.
pub(crate) struct Upcast {
    /// The older event's name.
    pub(crate) from: LitStr,
    /// A function from the older event to this one.
    pub(crate) with: ExprPath,
}

impl Upcast {
    pub(crate) fn read(key: &Key<'_>) -> syn::Result<Self> {
        let usage = "write `upcast(\"v1.Name\", with = from_v1)`";
        if !key.has_list() {
            let message = format!("`upcast` needs an event and a function: {usage}");
            return Err(syn::Error::new_spanned(&key.ident, message));
        }
        let hint = |error: syn::Error| syn::Error::new(error.span(), format!("{error}: {usage}"));
        key.list(|content| Self::parse(content).map_err(hint))
    }

    fn parse(content: ParseStream<'_>) -> syn::Result<Self> {
        let from = content.parse()?;
        content.parse::<Token![,]>()?;
        let with: Ident = content.parse()?;
        if with != "with" {
            return Err(syn::Error::new_spanned(&with, format!("unknown key `{with}`")));
        }
        content.parse::<Token![=]>()?;
        let with = content.parse()?;
        content.parse::<Option<Token![,]>>()?;
        Ok(Self { from, with })
    }

    /// Checks that no other event reads the same older one.
    pub(crate) fn check_name(&self, ctxt: &Ctxt, used: &mut UsedNames, variant: &Ident) {
        if let Some(owner) = used.claim(&self.from.value(), variant) {
            let message = format!(
                "`{}` is already read as `{owner}`: an old event has one successor",
                self.from.value()
            );
            ctxt.error(&self.from, message);
        }
    }
}
