//! Attribute macros on an item with `#[cfg_attr]`, which the compiler resolves for derives only.
//!
//! Such an item is emitted with a derive in place of the attribute macro. The derive gets the item again,
//! as it was configured, and expands to what the attribute macro would have.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{Attribute, ItemStruct, Meta};

use crate::ctxt::Ctxt;
use crate::keys::each_argument_key;
use crate::runtime::Runtime;

/// Returns the item with a derive that expands it, if one of its attributes depends on the configuration.
pub(crate) fn postponed(
    macro_name: &str,
    derive: &str,
    attr: &TokenStream,
    item: &ItemStruct,
) -> Option<TokenStream> {
    let is_conditional = |attr: &Attribute| attr.path().is_ident("cfg_attr");
    let mut attrs = item.attrs.iter().chain(item.fields.iter().flat_map(|field| &field.attrs));
    if !attrs.any(is_conditional) {
        return None;
    }
    let runtime = runtime(attr);
    let [helper, derive] =
        [&helper_name(macro_name), derive].map(|name| Ident::new(name, Span::call_site()));
    Some(quote! {
        #[derive(#runtime::#derive)]
        #[#helper(#attr)]
        #item
    })
}

/// Takes the arguments of the attribute macro from the item that its derive gets.
pub(crate) fn take_arguments(macro_name: &str, item: &mut ItemStruct) -> TokenStream {
    let helper = helper_name(macro_name);
    let position = item.attrs.iter().position(|attr| attr.path().is_ident(&helper));
    match position.map(|position| item.attrs.remove(position).meta) {
        Some(Meta::List(list)) => list.tokens,
        _ => TokenStream::new(),
    }
}

fn helper_name(macro_name: &str) -> String {
    format!("__livestore_{macro_name}")
}

/// Reads `crate = path` only; the derive reports what is wrong with the rest.
fn runtime(attr: &TokenStream) -> Runtime {
    let (ctxt, mut runtime) = (Ctxt::new(), Runtime::default());
    each_argument_key(&ctxt, attr.clone(), |key| match key.name().as_str() {
        "crate" => runtime.read(key),
        _ => key.skip(),
    });
    let _ = ctxt.check();
    runtime
}
