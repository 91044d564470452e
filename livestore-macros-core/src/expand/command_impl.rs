//! The `Command` implementation. After an error it is the same, so that code which uses the type gives no
//! further errors.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use crate::parse::command::CommandItem;

pub(crate) fn expand(command: &CommandItem) -> TokenStream {
    let CommandItem { runtime, attributes, ident, name, generics, is_valid } = command;
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let json = if *is_valid {
        // At the type's name: that is where serde's derives are missing.
        let span = Span::mixed_site().located_at(ident.span());
        let runtime = runtime.located_at(span);
        quote_spanned!(span=> #runtime::command_json::<#ident>())
    } else {
        quote_spanned!(Span::mixed_site()=> #runtime::CommandJson::of_no_command())
    };
    quote_spanned! {Span::mixed_site()=>
        #attributes
        impl #impl_generics #runtime::Command for #ident #type_generics #where_clause {
            const NAME: &'static str = #name;
            const JSON: #runtime::CommandJson<Self> = #json;
        }
    }
}
