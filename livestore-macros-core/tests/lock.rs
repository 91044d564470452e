//! The schema lock: the shapes that the macros record, and their reports in each mode.

#![allow(clippy::unwrap_used, reason = "a test, not an API")]

use livestore_macros_core as macros;
use livestore_macros_core::lock::Package;
use proc_macro2::TokenStream;
use quote::quote;

/// Returns the lines that would be written.
fn recorded(expand: impl Fn(&Package) -> TokenStream) -> Vec<String> {
    let code = expand(&Package::new(Some("accept"), None)).to_string();
    let (_, text) = code.split_once("schema_lock ! { accept ").unwrap();
    let end = text.rfind('}').unwrap();
    let text: syn::LitStr = syn::parse_str(text[..end].trim()).unwrap();
    let text = text.value();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

fn shape(input: TokenStream) -> Vec<String> {
    recorded(|package| macros::shape(Some(package), input.clone()))
}

fn event() -> TokenStream {
    quote! {
        #[event(name = "v1.Noted")]
        struct Noted {
            id: String,
            #[serde(rename = "n", default)]
            note: Option<Vec<Note>>,
            #[serde(with = "base64")]
            bytes: Option<Vec<u8>>,
        }
    }
}

#[test]
fn an_event_is_recorded_as_its_json_is() {
    assert_eq!(
        recorded(|package| macros::event(Some(package), event())),
        [
            "event v1.Noted = Noted",
            "event v1.Noted bytes: Option<Vec<u8>> (with base64::deserialize)",
            "event v1.Noted id: String",
            "event v1.Noted n: Option<Vec<Note>> (default, optional)",
        ]
    );
    let whole = quote! {
        enum Imported {
            #[event(name = "v1.all of it", client_only, deprecated)]
            All(Everything),
        }
    };
    assert_eq!(
        recorded(|package| macros::event(Some(package), whole.clone())),
        [
            "event \"v1.all of it\" = Imported::All (client-only, deprecated)",
            "event \"v1.all of it\" *: Everything",
        ]
    );
}

#[test]
fn a_struct_is_recorded_by_serdes_attributes() {
    let input = quote! {
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        #[shape(name = "notes::File")]
        struct File {
            file_name: String,
            #[serde(rename = "len", default = "zero")]
            length: u64,
            #[serde(skip)]
            cached: bool,
            #[serde(flatten)]
            more: Extra,
            #[serde(skip_serializing_if = "Option::is_none")]
            r#type: Option<Kind>,
        }
    };
    assert_eq!(
        shape(input),
        [
            "type \"notes::File\" = struct",
            "type \"notes::File\" fileName: String",
            "type \"notes::File\" len: u64 (default)",
            "type \"notes::File\" more: Extra (flatten)",
            "type \"notes::File\" type: Option<Kind> (optional)",
        ]
    );
    assert_eq!(
        shape(quote!(
            struct Id(String);
        )),
        ["type Id = struct", "type Id 0: String"]
    );
    assert_eq!(
        shape(quote!(
            #[serde(default)]
            struct All {
                a: u8,
            }
        )),
        ["type All = struct", "type All a: u8 (default)"]
    );
}

#[test]
fn an_enum_is_recorded_by_serdes_attributes() {
    let input = quote! {
        #[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
        enum Change {
            Added,
            MovedFrom { old_path: String, #[serde(default)] by: Option<String> },
            #[serde(rename = "x")]
            Wrapped(Box<Other>, u8),
            #[serde(skip)]
            Internal,
        }
    };
    assert_eq!(
        shape(input),
        [
            "type Change = enum (tag kind)",
            "type Change added: unit",
            "type Change moved_from: {oldPath:String,by:Option<String>#default#optional}",
            "type Change x: (Box<Other>,u8)",
        ]
    );
}

#[test]
fn a_breaking_change_is_reported_in_every_mode_but_accept() {
    let lock = "event v1.Noted = Noted\nevent v1.Noted id: u64\nevent v1.Noted text: String\n";
    let says = |mode, text| {
        let code = macros::event(Some(&Package::new(mode, Some(lock))), event()).to_string();
        code.contains(text)
    };
    for mode in [None, Some("frozen")] {
        assert!(says(mode, "`id` was `u64` and is now `String`"));
        assert!(says(mode, "`text: String` is gone"));
        assert!(says(mode, "option_env ! (\"LIVESTORE_SCHEMA\")") && says(mode, "include_bytes"));
    }
    assert!(!says(Some("accept"), "compile_error"));
    assert!(says(None, "schema_lock ! { note \"event \\\"v1.Noted\\\": `n: Option<Vec<Note>>"));
    assert!(says(Some("frozen"), "and livestore.lock is frozen without it"));
}

#[test]
fn an_item_with_a_mistake_is_not_compared() {
    let package = Package::new(Some("frozen"), Some(""));
    let input = quote!(
        #[event(name = "v1.A", client_onyl)]
        struct A;
    );
    let code = |package| macros::event(package, input.clone()).to_string();
    assert_eq!(code(Some(&package)), code(None));
}
