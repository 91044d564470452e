//! Every mistake gives one message that says what to write instead, and all of an item are reported at once.

use livestore_macros_core as macros;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::quote;

/// Returns the texts of all `compile_error!` in the expansion.
fn errors(code: TokenStream) -> Vec<String> {
    let tokens: Vec<TokenTree> = code.into_iter().collect();
    let mut messages = Vec::new();
    for window in tokens.windows(3) {
        if let [TokenTree::Ident(name), TokenTree::Punct(_), TokenTree::Group(group)] = window
            && name == "compile_error"
            && group.delimiter() == Delimiter::Brace
        {
            let text: syn::LitStr = syn::parse2(group.stream()).expect("an error has a text");
            messages.push(text.value());
        }
    }
    messages
}

/// Compares the messages, in the order in which they are reported.
macro_rules! assert_errors {
    ($code:expr, [$($message:expr),* $(,)?]) => {
        assert_eq!(errors($code), Vec::<&str>::from([$($message),*]))
    };
}

fn table(attr: TokenStream, item: TokenStream) -> TokenStream {
    macros::table(None, attr, item)
}

#[test]
fn all_errors_of_a_table_are_reported_at_once() {
    let attr = quote!(nmae = "x", idnex(id), name);
    let item = quote! {
        struct Todo {
            #[column(primry_key, on_delete = cascad)]
            id: String,
            #[column(default, unique(a), name = 3)]
            text: String,
        }
    };
    assert_errors!(
        table(attr, item),
        [
            "unknown key `nmae` in `#[table(..)]`: did you mean `name`?",
            "unknown key `idnex` in `#[table(..)]`: did you mean `index`?",
            "`name` needs a value: write `name = \"…\"`",
            "unknown key `primry_key` in `#[column(..)]`: did you mean `primary_key`?",
            "unknown action `cascad`: did you mean `cascade`?",
            "`default` needs a value: write `default = value`",
            "an index over several columns goes on the struct: write `#[table(unique(a, b))]`",
            "expected string literal: write `name = \"…\"`",
        ]
    );
}

#[test]
fn a_table_is_a_struct_with_named_fields() {
    assert_errors!(
        table(
            quote!(),
            quote!(
                enum Todo {
                    A,
                }
            )
        ),
        ["`#[table]` goes on a struct with named fields, not on this item",]
    );
    assert_errors!(
        table(
            quote!(),
            quote!(
                struct Todo(String);
            )
        ),
        ["a table needs named fields, one per column: write `struct Name { id: String, … }`",]
    );
    assert_errors!(
        table(
            quote!(),
            quote!(
                struct Todo {}
            )
        ),
        ["a table needs at least one column"]
    );
    assert_errors!(
        table(
            quote!(primary_key(id)),
            quote!(
                struct Todo<T> {
                    id: T,
                }
            )
        ),
        ["a table cannot be generic: its columns have one type each",]
    );
}

#[test]
fn a_table_needs_a_primary_key() {
    assert_errors!(
        table(
            quote!(),
            quote!(
                struct Todo {
                    id: String,
                }
            )
        ),
        ["`Todo` needs a primary key: mark one or more fields with `#[column(primary_key)]`",]
    );
    assert_errors!(
        table(
            quote!(primary_key(di)),
            quote!(
                struct Todo {
                    id: Option<String>,
                }
            )
        ),
        ["the table has no field `di`: did you mean `id`?",]
    );
    assert_errors!(
        table(
            quote!(primary_key(id)),
            quote!(
                struct Todo {
                    id: Option<String>,
                }
            )
        ),
        ["a primary key is never null: write the type without `Option`",]
    );
    let twice = quote!(
        struct Todo {
            #[column(primary_key)]
            id: String,
        }
    );
    assert_errors!(
        table(quote!(primary_key(id)), twice),
        ["the primary key is given in `#[table(primary_key(..))]` already: remove one of the two",]
    );
}

#[test]
fn names_in_the_database() {
    let item = quote!(
        struct Todo {
            #[column(primary_key)]
            id: String,
        }
    );
    assert_errors!(
        table(quote!(name = "SQLITE_x"), item.clone()),
        [
            "a table's name cannot start with `sqlite_`, which is reserved: write `name = \"…\"` with another name",
        ]
    );
    assert_errors!(
        table(quote!(name = "__livestore_x"), item.clone()),
        [
            "a table's name cannot start with `__livestore`, which is reserved: write `name = \"…\"` with another name",
        ]
    );
    assert_errors!(table(quote!(name = ""), item.clone()), ["a table's name cannot be empty"]);
    assert_errors!(
        table(quote!(name = "a", name = "b"), item),
        ["`name` is given twice: remove one",]
    );
    let same = quote! {
        struct Todo { #[column(primary_key)] id: String, #[column(name = "ID")] other: String }
    };
    assert_errors!(table(quote!(), same), ["`id` is already stored in column `ID`"]);
}

#[test]
fn indexes() {
    let item = quote!(
        struct Todo {
            #[column(primary_key)]
            id: String,
            #[column(index)]
            at: i64,
        }
    );
    assert_errors!(
        table(quote!(index(at)), item.clone()),
        ["another index is already named `todo_at`: remove one, or give it a name",]
    );
    assert_errors!(
        table(quote!(index(at, at, xyz)), item.clone()),
        ["`at` is named twice: remove one", "the table has no field `xyz`: expected `id` or `at`",]
    );
    assert_errors!(
        table(quote!(index(name = "by_at"), unique, index(name = "x", colums(at))), item),
        [
            "`index` needs columns: write `index(name = \"…\", columns(a, b))`",
            "`unique` needs fields: write `unique(a, b)`",
            "unknown key `colums` in `#[index(..)]`: did you mean `columns`?",
        ]
    );
}

#[test]
fn references() {
    let item = quote! {
        struct Todo {
            #[column(primary_key)] id: String,
            #[column(on_delete = cascade)] a: String,
            #[column(references = Author::ID, on_delete = set_null)] b: String,
            #[cfg(test)] c: String,
        }
    };
    assert_errors!(
        table(quote!(), item),
        [
            "`on_delete` needs a reference: write `references = Table::COLUMN` beside it",
            "`set_null` needs a column that may be null: make the field an `Option`",
            "a column cannot depend on `#[cfg]`: put `#[cfg]` on the whole struct",
        ]
    );
}

#[test]
fn events() {
    let input = quote! {
        #[event(name = "v1.All", crat = x)]
        #[serde(tag = "type")]
        enum TodoEvent<'a> {
            Created { id: String },
            #[event(name = "")]
            Empty,
            #[event(name = "v1.A", client_onyl)]
            A(String, String),
            #[event(name = "v1.A")]
            B { #[event(name = "x")] id: &'a str, #[serde(rename = "id")] other: String },
            #[event(name = "v1.C")]
            C { #[serde(flatten)] a: A, #[serde(defautl)] b: B, #[serde(rename(serialize = "x"))] c: C },
            #[event(name = "v1.D")]
            D(#[serde(default)] String),
        }
    };
    assert_errors!(
        macros::event(None, input),
        [
            "an event owns its args: use `String` instead of `&str`, and no lifetimes",
            "`name` belongs to one event: move it to a variant",
            "unknown key `crat` in `#[event(..)]`: did you mean `crate`?",
            "`#[serde(tag)]` is not supported on an event: supported are `rename_all` and `rename_all_fields`",
            "`Created` needs the name it has in the eventlog: write `#[event(name = \"v1.Created\")]`",
            "an event's name cannot be empty",
            "unknown key `client_onyl` in `#[event(..)]`: did you mean `client_only`?",
            "`#[event]` goes on a variant or a struct: to name a key write `#[serde(rename = \"…\")]`",
            "`id` is already written as `id`: give this field another name",
            "`#[serde(flatten)]` is not supported on an event's field: supported are `rename`, `default`, `with`, `serialize_with`, `deserialize_with` and `skip_serializing_if`",
            "unknown key `defautl` in `#[serde(..)]`: did you mean `default`?",
            "a name is the same for writing and reading: write `rename = \"…\"`",
            "a field without a name has no `#[serde]`: put it on the field's type, or name the field",
            "`v1.A` already names `A`: an event's name is used once",
        ]
    );
    assert_errors!(
        macros::event(None, quote!(union U { a: u8 })),
        ["a union cannot be an event: use an enum or a struct",]
    );
}

#[test]
fn rename_rules() {
    let input = quote! {
        #[event(name = "v1.A")]
        #[serde(rename_all = "camel_case")]
        struct A { a: String }
    };
    assert_errors!(
        macros::event(None, input),
        ["unknown rename rule \"camel_case\": did you mean `camelCase`?",]
    );
}

#[test]
fn column_types() {
    let input = quote! {
        #[column_type(rename_al = "lowercase")]
        enum Status { A(i64), #[column_type(rename = "x")] B, #[serde(rename = "x")] C }
    };
    assert_errors!(
        macros::column_type(input),
        [
            "unknown key `rename_al` in `#[column_type(..)]`: did you mean `rename_all`?",
            "`A` has fields, and a column holds one value: remove them, or put them in columns of their own",
            "`B` is already stored as `x`: rename one of the two",
        ]
    );
    assert_errors!(
        macros::column_type(quote!(
            struct Id {
                id: String,
            }
        )),
        ["a column holds one value: write `struct Id(String);` around the type it is stored as",]
    );
    assert_errors!(
        macros::column_type(quote!(
            struct Id(Option<String>);
        )),
        [
            "a newtype over `Option` would hide that the column may be null: wrap the inner type, and make the table's field an `Option`",
        ]
    );
    assert_errors!(
        macros::column_type(quote!(
            enum Never {}
        )),
        ["a column needs a value to hold: add a variant",]
    );
}

#[test]
fn rows() {
    let input = quote! {
        #[row(form = Todo)]
        struct Titled { #[row(expr = Todo::ID, nam = "x")] id: String }
    };
    assert_errors!(
        macros::row(input),
        [
            "unknown key `form` in `#[row(..)]`: did you mean `from`?",
            "`expr` selects from a table: write `#[row(from = Table)]` on the struct",
            "unknown key `nam` in `#[row(..)]`: did you mean `name`?",
        ]
    );
    assert_errors!(
        macros::row(quote!(
            struct Titled(String);
        )),
        [
            "a row needs named fields, one per selected column: write `struct Titled { id: String, … }`",
        ]
    );
    assert_errors!(
        macros::row(quote!(
            #[row(from = ())]
            struct Titled {
                id: String,
            }
        )),
        ["expected a table or a tuple of tables: write `from = Todo` or `from = (Todo, User)`",]
    );
}

#[test]
fn client_documents() {
    let item = quote! {
        struct UiState {
            id: String,
            #[serde(skip)] a: String,
            #[serde(rename = "c")] b: String,
            c: String,
        }
    };
    assert_errors!(
        macros::client_document(None, quote!(nam = "x", id = ""), item),
        [
            "unknown key `nam` in `#[client_document(..)]`: did you mean `name`?",
            "a client document's id cannot be empty",
            "`id` is reserved for the document's id: rename this field (its key in the JSON may still be `#[serde(rename = \"id\")]`)",
            "`#[serde(skip)]` is not supported on a client document's field, which can be set on its own: supported are `rename`, `default`, `alias`, `bound` and `skip_serializing_if`",
            "`b` is already written as `c`: give this field another name",
        ]
    );
    assert_errors!(
        macros::client_document(
            None,
            quote!(),
            quote!(
                struct UiState;
            )
        ),
        ["a client document needs named fields, so that each can be set on its own",]
    );
}

#[test]
fn schemas() {
    let input = quote!(pub App { table: [Todo], events: [A, A], events: [B] } more);
    assert_errors!(
        macros::schema(None, input),
        [
            "unknown list `table`: did you mean `tables`?",
            "`A` is listed twice: remove one",
            "`events` is given twice: make it one list",
            "expected nothing after the schema",
        ]
    );
    assert_errors!(macros::schema(None, quote!(pub App { events: [A B] })), ["expected `,`"]);
    assert_errors!(
        macros::schema(None, quote!({})),
        ["expected identifier: write `pub App { tables: [..], events: [..] }`",]
    );
}

/// The compiler knows neither `#[column]` nor what is missing, and must not complain about them.
#[test]
fn the_item_is_always_emitted_without_our_attributes() {
    let code = table(
        quote!(),
        quote!(
            struct Todo {
                #[column(banana)]
                id: String,
            }
        ),
    );
    let file: syn::File = syn::parse2(code).unwrap();
    let Some(syn::Item::Struct(item)) = file.items.first() else {
        panic!("the struct comes first");
    };
    assert!(item.fields.iter().all(|field| field.attrs.is_empty()));

    let code = table(
        quote!(),
        quote!(
            fn broken() {}
        ),
    );
    assert!(code.to_string().starts_with("fn broken"));
}
