//! Changes that break stored events. The messages for a single field are among the UI tests; these tests
//! need two versions of a package.

use crate::scratch::Scratch;

const TWO_TYPES: &str = r#"
pub mod todo {
    use super::*;
    #[derive(Event)]
    pub enum Event {
        #[event(name = "v1.TodoCreated")]
        Created { id: String },
        #[event(name = "v1.TodoDeleted")]
        Deleted { id: String },
    }
    impl Materialize for Event {
        fn materialize(&self, _: &mut Writer<'_>) -> Result<(), MaterializeError> { Ok(()) }
    }
}
pub mod user {
    use super::*;
    #[derive(Event)]
    pub enum Event {
        #[event(name = "v1.UserCreated")]
        Created { id: String },
    }
    impl Materialize for Event {
        fn materialize(&self, _: &mut Writer<'_>) -> Result<(), MaterializeError> { Ok(()) }
    }
}
livestore::schema! { pub App { events: [todo::Event, user::Event] } }
"#;

fn scratch(name: &str) -> Scratch {
    let scratch = Scratch::library(name, TWO_TYPES);
    scratch.accept();
    scratch.check("frozen").passes_with("");
    scratch
}

#[test]
fn an_event_that_is_renamed_is_gone() {
    let scratch = scratch("renamed");
    scratch.edit("src/lib.rs", "v1.TodoDeleted", "v1.TodoRemoved");
    let checked = scratch.check("");
    checked.fails_with(&["event \"v1.TodoDeleted\" is gone from the schema"]);
    assert!(checked.text.contains("upcast(\"v1.TodoDeleted\", with = …)"), "{}", checked.text);
    assert!(checked.text.contains("events: [todo::Event, user::Event]"), "{}", checked.text);
}

#[test]
fn events_of_a_type_that_is_gone_are_gone() {
    let scratch = scratch("unlisted");
    scratch.edit("src/lib.rs", "[todo::Event, user::Event]", "[user::Event]");
    scratch.check("").fails_with(&[
        "event \"v1.TodoCreated\" is gone from the schema",
        "event \"v1.TodoDeleted\" is gone from the schema",
    ]);
}

#[test]
fn a_type_may_be_renamed_and_an_event_move_to_another() {
    let scratch = scratch("moved");
    let deleted = "#[event(name = \"v1.TodoDeleted\")]\n        Deleted { id: String },";
    scratch.edit("src/lib.rs", deleted, "");
    let created = "#[event(name = \"v1.UserCreated\")]";
    scratch.edit("src/lib.rs", created, &format!("{deleted}\n{created}"));
    let source = TWO_TYPES.replace(deleted, "").replace(created, &format!("{deleted}\n{created}"));
    scratch.source(&source.replace("Event {", "Change {").replace("::Event", "::Change"));
    let checked = scratch.check("");
    assert!(checked.passed, "{}", checked.text);
}

#[test]
fn an_event_with_an_upcaster_may_succeed_another() {
    let scratch = scratch("upcast");
    let source = TWO_TYPES.replace(
        "#[event(name = \"v1.TodoDeleted\")]",
        "#[event(name = \"v2.TodoDeleted\", upcast(\"v1.TodoDeleted\", with = from_v1))]",
    );
    let older = "
        #[derive(Event)]
        #[event(name = \"v1.TodoDeleted\")]
        pub struct DeletedV1 { id: String }
        fn from_v1(old: DeletedV1) -> Event { Event::Deleted { id: old.id } }";
    scratch.source(&source.replacen("use super::*;", &format!("use super::*;{older}"), 1));
    let checked = scratch.check("");
    assert!(checked.passed, "{}", checked.text);
    scratch.accept();
    let newer = "event v2.TodoDeleted = Event::Deleted (reads v1.TodoDeleted)".to_owned();
    assert!(scratch.lock().contains(&newer));
    // The lock still compares the older event.
    scratch.edit("src/lib.rs", "DeletedV1 { id: String }", "DeletedV1 { id: String, by: String }");
    scratch.check("").fails_with(&["event \"v1.TodoDeleted\": `by: String` is new and required"]);
    // And it has to be read.
    scratch.source(&TWO_TYPES.replace("v1.TodoDeleted", "v2.TodoDeleted"));
    scratch.check("").fails_with(&["event \"v1.TodoDeleted\" is gone from the schema"]);
}

#[test]
fn every_change_of_an_item_is_reported() {
    let scratch = scratch("several");
    scratch.edit(
        "src/lib.rs",
        "#[event(name = \"v1.UserCreated\")]\n        Created { id: String }",
        "#[event(name = \"v1.UserCreated\", client_only)]\n        Created { name: u64 }",
    );
    scratch.check("").fails_with(&[
        "event \"v1.UserCreated\": was synced and is now client-only",
        "event \"v1.UserCreated\": `id: String` is gone",
        "event \"v1.UserCreated\": `name: u64` is new and required",
    ]);
}

#[test]
fn a_mistake_elsewhere_is_the_only_error() {
    let scratch = scratch("mistaken");
    scratch.edit("src/lib.rs", "\"v1.TodoDeleted\"", "\"v1.TodoDeleted\", client_onyl");
    scratch.check("").fails_with(&["unknown key `client_onyl`"]);
}
