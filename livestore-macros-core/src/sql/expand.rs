//! Expands to the query or the write, as an expression.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned as _;

use super::infer::{Ty, Typed};
use super::{CheckedStatement, assertions, rows};

pub(super) fn expand(statement: &CheckedStatement) -> syn::Result<TokenStream> {
    let sql = &statement.sql;
    let binds = statement.input.binds.iter().zip(&statement.inferred.binds);
    let binds = binds.map(|(bind, typed)| statement.bind(bind, *typed));
    let context = statement.context();
    let assertions = assertions::expand(statement);
    let Some(outputs) = &statement.inferred.outputs else {
        if let Some(row) = &statement.input.row {
            let message = "a write has no rows: leave `as …` out";
            return Err(syn::Error::new_spanned(row, message));
        }
        return Ok(
            quote_spanned!(Span::mixed_site()=> { #assertions #context sql.write(#sql, [#(#binds),*]) }),
        );
    };
    let (record, row) = rows::expand(statement, outputs)?;
    let reads = reads(statement);
    let impure = statement.inferred.impure.iter().map(|name| quote!(.impure(#name)));
    Ok(quote_spanned! {Span::mixed_site()=> {
        #assertions
        #record
        #context
        sql.query(#sql, [#(#binds),*], #reads, |row| { #context sql.row(#row) }) #(#impure)*
    }})
}

/// Returns the columns that are read as `table␟column␞…`: one literal compiles faster than a list.
fn reads(statement: &CheckedStatement) -> String {
    let reads = statement.reads.iter().flatten();
    reads.map(|(table, column)| format!("{table}\u{1f}{column}\u{1e}")).collect()
}

impl CheckedStatement {
    /// Defines `sql`, whose methods the rest of the code calls.
    fn context(&self) -> TokenStream {
        let (runtime, schema) = (&self.input.runtime, &self.input.schema);
        quote_spanned! {Span::mixed_site()=>
            #[allow(unused_imports)]
            use #runtime::sql::{Takes as _, TakesInteger as _};
            let sql = #runtime::sql::over::<#schema>();
        }
    }

    /// A value for a `?`, with the type of what it is compared with or assigned to.
    fn bind(&self, bind: &Expr, typed: Option<Typed>) -> TokenStream {
        let span = bind.span().resolved_at(Span::mixed_site());
        match typed {
            None => quote_spanned!(span=> sql.bind(#bind)),
            Some(Typed { ty: Ty::Integer | Ty::Count, .. }) => {
                quote_spanned!(span=> sql.integer(#bind))
            }
            Some(typed) => {
                let of = self.type_of(typed);
                quote_spanned!(span=> #of.operand(#bind))
            }
        }
    }

    /// A type, as an expression from which the compiler infers it.
    pub(super) fn type_of(&self, Typed { ty, nullable }: Typed) -> TokenStream {
        let named = match ty {
            Ty::Column(table, column) => return self.column(table, column, nullable),
            Ty::Stored(_, _, class) => return self.type_of(Typed { ty: class.into(), nullable }),
            Ty::Integer => quote!(::core::primitive::i64),
            Ty::Count => quote!(::core::primitive::u64),
            Ty::Real => quote!(::core::primitive::f64),
            Ty::Bool => quote!(::core::primitive::bool),
            Ty::Blob => quote!(::std::vec::Vec<::core::primitive::u8>),
            Ty::Text | Ty::TextUnlessBlob(..) | Ty::Unknown | Ty::Null => {
                quote!(::std::string::String)
            }
        };
        let span = Span::mixed_site();
        if nullable {
            quote_spanned!(span=> sql.of::<::core::option::Option<#named>>())
        } else {
            quote_spanned!(span=> sql.of::<#named>())
        }
    }

    fn column(&self, table: usize, column: usize, nullable: bool) -> TokenStream {
        let of = quote_spanned!(Span::mixed_site()=> sql.column::<_, _, #table, #column>());
        match (
            self.schema.catalog.column(table, column).is_some_and(|column| column.nullable),
            nullable,
        ) {
            (true, false) => quote!(#of.base()),
            (false, true) => quote!(#of.nullable()),
            _ => of,
        }
    }
}
