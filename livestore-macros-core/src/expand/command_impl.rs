//! The `Command` implementation. After an error it is the same, so that code which uses the type gives no
//! further errors.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use crate::parse::command::CommandItem;

pub(crate) fn expand(command: &CommandItem) -> TokenStream {
    let CommandItem { runtime, attributes, ident, name, is_plain } = command;
    if !is_plain {
        return TokenStream::new();
    }
    quote_spanned! {Span::mixed_site()=>
        #attributes
        impl #runtime::Command for #ident {
            const NAME: &'static str = #name;
        }
    }
}
