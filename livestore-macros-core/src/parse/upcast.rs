//! `upcast("v1.TodoCreated", with = from_v1)`: an event that is read as a newer one.

use proc_macro2::Ident;
use syn::parse::ParseStream;
use syn::{ExprPath, LitStr, Token};

use crate::ctxt::Ctxt;
use crate::keys::Key;
use crate::parse::names::UsedNames;

/// Where events of an older name come in.
pub(crate) struct Upcast {
    /// The older name.
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

    /// An older name, too, belongs to one event.
    pub(crate) fn check_name(&self, ctxt: &Ctxt, used: &mut UsedNames, variant: &Ident) {
        if let Some(owner) = used.claim(&self.from.value(), variant) {
            let message = format!(
                "`{}` is already read by `{owner}`: an event becomes one newer event",
                self.from.value()
            );
            ctxt.error(&self.from, message);
        }
    }
}
