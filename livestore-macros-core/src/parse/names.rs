//! Checks of names that are used in the database or in events.

use std::collections::HashMap;

use proc_macro2::Ident;
use quote::ToTokens;
use syn::LitStr;
use syn::ext::IdentExt;

use crate::ctxt::Ctxt;

/// The prefixes that SQLite and LiveStore reserve.
const RESERVED_PREFIXES: [&str; 2] = ["sqlite_", "__livestore"];

/// Returns the name of a field or type without `r#`.
pub(crate) fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// Refuses an empty name, and one that SQL cannot hold; `what` is the subject of the message.
pub(crate) fn check_not_empty(ctxt: &Ctxt, literal: &LitStr, what: &str) {
    if literal.value().is_empty() {
        ctxt.error(literal, format!("{what} cannot be empty"));
    }
    if literal.value().contains('\0') {
        ctxt.error(literal, format!("{what} cannot contain a NUL character"));
    }
}

/// Refuses the name of a table or an index that the database would refuse later.
pub(crate) fn check_not_reserved(ctxt: &Ctxt, at: impl ToTokens, name: &str, what: &str) {
    let lower = name.to_lowercase();
    if let Some(prefix) = RESERVED_PREFIXES.iter().find(|prefix| lower.starts_with(**prefix)) {
        let message = format!(
            "{what} cannot start with `{prefix}`, which is reserved: write `name = \"…\"` with another name"
        );
        ctxt.error(at, message);
    }
}

/// The names that are used already, each with its owner.
#[derive(Default)]
pub(crate) struct UsedNames {
    owners: HashMap<String, String>,
}

impl UsedNames {
    /// Claims `name` for `owner`; returns the previous owner if the name is used already.
    pub(crate) fn claim(&mut self, name: &str, owner: impl ToString) -> Option<String> {
        let previous = self.owners.get(name).cloned();
        if previous.is_none() {
            self.owners.insert(name.to_owned(), owner.to_string());
        }
        previous
    }
}
