//! What must be true of the app's types, as constants that the compiler evaluates.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::CheckedStatement;
use super::alias_types::Annotation;
use super::catalog::StorageClass;
use super::constant::Constant;
use super::infer::{Mismatch, Must, OutputColumn, Ty, TypeCheck};

/// One constant for each place, which panics with the first mistake there.
pub(super) fn expand(statement: &CheckedStatement) -> TokenStream {
    let outputs = statement.inferred.outputs.iter().flatten();
    let of_outputs = outputs.filter_map(|output| check_output(statement, output));
    let checks: Vec<_> = statement.inferred.checks.iter().cloned().chain(of_outputs).collect();
    let mut places: Vec<_> = checks.iter().map(|check| &check.mismatch.span).collect();
    places.sort_by_key(|place| (place.start, place.end));
    places.dedup();
    let constants = places.into_iter().map(|place| {
        let here = checks.iter().filter(|check| check.mismatch.span == *place);
        let asserts = here.map(|check| assert(statement, check));
        let (runtime, schema) = (&statement.input.runtime, &statement.input.schema);
        quote_spanned! {Span::mixed_site()=>
            const _: () = {
                let sql = #runtime::sql::over::<#schema>();
                #(#asserts)*
            };
        }
    });
    constants.collect()
}

/// The condition under which a result column has the type that was inferred.
fn check_output(statement: &CheckedStatement, output: &OutputColumn) -> Option<TypeCheck> {
    let (table, column, must) = match output.typed.ty {
        Ty::Stored(table, column, class) => (table, column, Must::BeStoredAs(class)),
        Ty::TextUnlessBlob(table, column) => (table, column, Must::NotBeStoredAsBlob),
        _ => return None,
    };
    if let Some(Annotation::Type(_)) = statement.annotations.get(&output.span.start) {
        return None;
    }
    let known = statement.schema.catalog.column(table, column)?;
    let message = match output.typed.ty {
        Ty::Stored(_, _, class) => format!(
            "`{}` (`{}`) is not stored as {}, so that this column has no type: convert one of its \
             values with `CAST`",
            known.name,
            known.ty,
            class.describe()
        ),
        _ => format!(
            "`{}` (`{}`) is stored as a blob, which need not be UTF-8: take `hex({})`",
            known.name, known.ty, known.name
        ),
    };
    let mismatch = Mismatch { span: output.span.clone(), message };
    Some(TypeCheck { column: (table, column), must, mismatch })
}

fn assert(statement: &CheckedStatement, check: &TypeCheck) -> TokenStream {
    let TypeCheck { column: (table, column), must, mismatch } = check;
    let runtime = &statement.input.runtime;
    let storage = |class: &StorageClass| match class {
        StorageClass::Integer => quote!(#runtime::Storage::Integer),
        StorageClass::Real => quote!(#runtime::Storage::Real),
        StorageClass::Text => quote!(#runtime::Storage::Text),
        StorageClass::Blob => quote!(#runtime::Storage::Blob),
    };
    let condition = match must {
        Must::CompareWith(class) => {
            let class = storage(class);
            quote!(compares_with(#class))
        }
        Must::BeStoredAs(class) => {
            let class = storage(class);
            quote!(is_stored_as(#class))
        }
        Must::NotBeStoredAsBlob => quote!(is_not_blob()),
        Must::CompareWithColumn(table, column) => {
            quote_spanned!(Span::mixed_site()=> compares_with_column(&sql.column::<_, _, #table, #column>()))
        }
        Must::Have(Constant::Integer(integer)) => quote!(has_integer(#integer)),
        Must::Have(Constant::Text(text)) => quote!(has_text(#text)),
        Must::Have(Constant::Real(real)) => {
            let bits = real.to_bits();
            quote!(has_real(#bits))
        }
        Must::Have(Constant::Null) => return TokenStream::new(),
        Must::HaveAnOrder => quote!(has_an_order()),
    };
    let text = &statement.input.text;
    let message = text.shown(&mismatch.span, &mismatch.message);
    let span = text.span_of(&mismatch.span).resolved_at(Span::mixed_site());
    quote_spanned! {span=>
        if !sql.column::<_, _, #table, #column>().#condition {
            ::core::panic!(#message)
        }
    }
}
