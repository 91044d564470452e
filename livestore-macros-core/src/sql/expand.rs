//! The query or the write, as an expression.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned as _;

use super::infer::{Ty, Typed};
use super::{Statement, rows};

pub(super) fn expand(statement: &Statement) -> syn::Result<TokenStream> {
    let runtime = &statement.input.runtime;
    let sql = &statement.sql;
    let binds = statement.input.binds.iter().zip(&statement.inferred.binds);
    let binds = binds.map(|(bind, typed)| statement.bind(bind, *typed));
    let Some(outputs) = &statement.inferred.outputs else {
        if let Some(row) = &statement.input.row {
            let message = "a write has no rows: leave `as …` out";
            return Err(syn::Error::new_spanned(row, message));
        }
        return Ok(quote!(#runtime::sql::write(#sql, [#(#binds),*])));
    };
    let (record, row) = rows::expand(statement, outputs)?;
    let reads = match &statement.reads {
        Some(reads) => {
            let reads = reads.iter().map(|(table, column)| quote!((#table, #column)));
            quote!(::core::option::Option::Some(&[#(#reads),*]))
        }
        None => quote!(::core::option::Option::None),
    };
    Ok(quote_spanned! {Span::mixed_site()=> {
        #record
        #runtime::sql::query(
            #sql,
            [#(#binds),*],
            #reads,
            |row: &#runtime::RowReader<'_>| ::core::result::Result::Ok(#row),
        )
    }})
}

impl Statement {
    /// A value for a `?`, as what it is compared with or assigned to.
    fn bind(&self, bind: &Expr, typed: Option<Typed>) -> TokenStream {
        let span = bind.span().resolved_at(Span::mixed_site());
        let runtime = self.input.runtime.located_at(span);
        match typed {
            None => quote_spanned!(span=> #runtime::sql::bind(#bind)),
            Some(Typed { ty: Ty::Integer | Ty::Count, .. }) => {
                quote_spanned!(span=> #runtime::sql::integer(#bind))
            }
            Some(typed) => {
                let of = self.type_of(typed);
                quote_spanned!(span=> #runtime::sql::operand(#of, #bind))
            }
        }
    }

    /// A type, as an expression from which the compiler infers it.
    pub(super) fn type_of(&self, Typed { ty, nullable }: Typed) -> TokenStream {
        let runtime = &self.input.runtime;
        let named = match ty {
            Ty::Column(table, column) => return self.column(table, column, nullable),
            Ty::Integer => quote!(::core::primitive::i64),
            Ty::Count => quote!(::core::primitive::u64),
            Ty::Real => quote!(::core::primitive::f64),
            Ty::Bool => quote!(::core::primitive::bool),
            Ty::Blob => quote!(::std::vec::Vec<::core::primitive::u8>),
            Ty::Text | Ty::Unknown | Ty::Null => quote!(::std::string::String),
        };
        if nullable {
            quote!(#runtime::sql::of::<::core::option::Option<#named>>())
        } else {
            quote!(#runtime::sql::of::<#named>())
        }
    }

    fn column(&self, table: usize, column: usize, nullable: bool) -> TokenStream {
        let runtime = &self.input.runtime;
        let schema = &self.input.schema;
        let of = quote!(#runtime::sql::column::<#schema, _, _, #table, #column>());
        match (
            self.known.catalog.column(table, column).is_some_and(|column| column.nullable),
            nullable,
        ) {
            (true, false) => quote!(#of.base()),
            (false, true) => quote!(#of.nullable()),
            _ => of,
        }
    }
}
