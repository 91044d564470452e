//! The expansion of each macro, as a snapshot.

use insta::assert_snapshot;
use livestore_macros_core as macros;
use proc_macro2::TokenStream;
use quote::quote;

/// The code as it would stand in a file.
fn pretty(code: TokenStream) -> String {
    let file = syn::parse2(code).expect("the expansion parses");
    prettyplease::unparse(&file)
}

#[test]
fn table() {
    let item = quote! {
        /// Something to do.
        #[derive(Debug, Clone)]
        pub struct TodoItem {
            /// Made by `new_id`.
            #[column(primary_key)]
            pub id: String,
            #[column(default = false)]
            pub completed: bool,
            #[column(index, name = "createdAt")]
            pub created_at: Timestamp,
            #[column(unique, check = "length(\"type\") > 0")]
            r#type: Option<String>,
            #[column(references = Author::ID, on_delete = cascade)]
            pub(crate) author: String,
        }
    };
    assert_snapshot!(pretty(macros::table(None, quote!(), item)));
}

#[test]
fn table_with_keys_on_the_struct() {
    let attr = quote! {
        name = "members",
        crate = crate::reexports::livestore,
        primary_key(team, user),
        index(since),
        unique(name = "one_seat", columns(team, seat)),
        check = "seat > 0",
        check("seat < 100"),
    };
    let item = quote! {
        struct Membership {
            user: UserId,
            team: TeamId,
            seat: i64,
            since: Timestamp,
        }
    };
    assert_snapshot!(pretty(macros::table(None, attr, item)));
}

#[test]
fn table_after_an_error() {
    let item = quote! {
        pub struct Todo {
            #[column(primary_key, defualt = "x")]
            pub id: String,
        }
    };
    assert_snapshot!(pretty(macros::table(None, quote!(), item)));
}

#[test]
fn event_enum() {
    let input = quote! {
        #[derive(Event)]
        #[serde(rename_all = "camelCase")]
        pub enum TodoEvent {
            #[event(name = "v1.TodoCreated")]
            Created { id: String, r#type: Kind, created_at: Timestamp },
            #[event(name = "v1.Noted", client_only)]
            #[serde(rename_all = "UPPERCASE")]
            Noted {
                #[serde(rename = "n", default)]
                note: String,
                #[serde(default = "defaults::count", skip_serializing_if = "is_zero")]
                count: u32,
                #[serde(with = "base64")]
                body: Vec<u8>,
                #[serde(with = "base64", default)]
                tail: Vec<u8>,
            },
            #[event(name = "v1.Old", deprecated = "use v2")]
            Old,
            #[event(name = "v1.Big", deprecated)]
            Big(BigArgs),
        }
    };
    assert_snapshot!(pretty(macros::event(None, input)));
}

#[test]
fn event_with_an_upcaster() {
    let input = quote! {
        #[derive(Event)]
        #[event(name = "v3.Noted", upcast("v2.Noted", with = older::from_v2))]
        struct Noted {
            text: String,
        }
    };
    assert_snapshot!(pretty(macros::event(None, input)));
}

#[test]
fn event_struct() {
    let input = quote! {
        #[event(name = "v1.Moved", crate = livestore_core)]
        struct Moved<T> where T: Copy {
            from: T,
            to: T,
        }
    };
    assert_snapshot!(pretty(macros::event(None, input)));
}

#[test]
fn event_after_an_error() {
    let input = quote! {
        enum TodoEvent { Created { id: String } }
    };
    assert_snapshot!(pretty(macros::event(None, input)));
}

#[test]
fn column_type_enum() {
    let input = quote! {
        #[serde(rename_all = "snake_case", deny_unknown_fields)]
        enum Status {
            Open,
            InProgress,
            #[serde(rename = "closed")]
            #[column_type(rename = "done")]
            Done,
        }
    };
    assert_snapshot!(pretty(macros::column_type(input)));
}

#[test]
fn column_type_newtype() {
    assert_snapshot!(pretty(macros::column_type(quote!(
        pub struct TodoId(pub String);
    ))));
}

#[test]
fn row() {
    let input = quote! {
        #[row(from = (Todo, Maybe<User>))]
        struct Titled {
            id: String,
            #[row(expr = User::NAME)]
            owner: Option<String>,
            #[row(name = "txt")]
            text: String,
        }
    };
    assert_snapshot!(pretty(macros::row(input)));
}

#[test]
fn row_for_raw_sql() {
    let input = quote! {
        struct Count { #[row(name = "count(*)")] count: i64 }
    };
    assert_snapshot!(pretty(macros::row(input)));
}

#[test]
fn client_document() {
    let item = quote! {
        /// What the user sees.
        #[derive(Clone, Default, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub struct UiState {
            /// Not yet committed.
            pub new_todo_text: String,
            #[serde(rename = "f", default)]
            filter: Option<Filter>,
        }
    };
    assert_snapshot!(pretty(macros::client_document(None, quote!(), item)));
}

#[test]
fn client_document_with_a_fixed_id() {
    let item = quote!(
        struct Settings {
            dark: bool,
        }
    );
    let attr = quote!(name = "settings", id = "main");
    assert_snapshot!(pretty(macros::client_document(None, attr, item)));
}

#[test]
fn schema() {
    let input = quote! {
        pub App {
            tables: [Todo, models::User],
            documents: [UiState],
            events: [TodoEvent],
        }
    };
    assert_snapshot!(pretty(macros::schema(None, input)));
}

#[test]
fn schema_with_docs_and_crate() {
    let input = quote! {
        crate = crate;
        /// Only events.
        App { events: [TodoEvent] }
    };
    assert_snapshot!(pretty(macros::schema(None, input)));
}

#[test]
fn another_path_is_used_everywhere() {
    let attr = || quote!(crate = other);
    let events = quote! {
        #[event(crate = other)]
        enum E { #[event(name = "e")] A { a: A, #[serde(with = "with", default)] b: B } }
    };
    let kinds = quote! { #[column_type(crate = other)] enum Kind { A } };
    let id = quote! { #[column_type(crate = other)] struct Id(u8); };
    let row = quote! { #[row(crate = other, from = T)] struct Out { a: A } };
    let table = quote! {
        struct T { #[column(primary_key, default = 1, index, references = U::ID)] id: u8 }
    };
    let document = quote! { struct Ui { zoom: u8 } };
    let schema = quote! { crate = other; App { tables: [T], documents: [Ui], events: [E] } };
    for code in [
        macros::event(None, events),
        macros::column_type(kinds),
        macros::column_type(id),
        macros::row(row),
        macros::table(None, attr(), table),
        macros::client_document(None, attr(), document),
        macros::schema(None, schema),
    ] {
        let code = pretty(code);
        assert!(code.contains("other::__private") && !code.contains("livestore::"), "{code}");
    }
}
