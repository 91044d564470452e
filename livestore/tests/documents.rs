//! Client documents: what they are before they are set, how they are set, and whose they are.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]

use livestore::prelude::*;
use livestore::schema::GetDocument;

#[client_document]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct UiState {
    new_todo_text: String,
    filter: Filter,
    selected: Option<String>,
    #[serde(rename = "z")]
    zoom: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Filter {
    All,
    Open,
}

impl Default for UiState {
    fn default() -> Self {
        Self { new_todo_text: "…".into(), filter: Filter::All, selected: None, zoom: 1.0 }
    }
}

#[client_document(name = "settings", id = "app")]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Settings {
    dark: bool,
    languages: Vec<String>,
}

/// A synced event, to see what a document's sequence number becomes.
#[derive(Event)]
#[event(name = "v1.Happened")]
struct Happened;

impl Materialize for Happened {
    fn materialize(&self, _: &mut Writer<'_>) -> Result<(), MaterializeError> {
        Ok(())
    }
}

livestore::schema! { App { documents: [UiState, Settings], events: [Happened] } }

fn open() -> Store<App> {
    Store::builder("documents").open().unwrap()
}

/// The args of the last event.
fn last_args(store: &Store<App>) -> String {
    store.events().into_iter().last().unwrap().unwrap().args
}

#[test]
fn a_document_that_was_never_set_is_its_default() {
    let store = open();
    assert_eq!(store.query(UiState::get()).unwrap(), UiState::default());
    assert_eq!(store.query(UiState::get_by("other")).unwrap(), UiState::default());
    assert_eq!(store.head().unwrap(), SeqNum::ROOT);
}

#[test]
fn a_partial_update_leaves_the_other_fields() {
    let store = open();
    store.commit(UiState::set().filter(Filter::Open)).unwrap();
    assert_eq!(last_args(&store), r#"{"id":"static","value":{"filter":"Open"}}"#);
    store.commit(UiState::set().selected("a".to_owned()).zoom(2.0)).unwrap();
    assert_eq!(last_args(&store), r#"{"id":"static","value":{"selected":"a","z":2}}"#);
    let expected = UiState {
        filter: Filter::Open,
        selected: Some("a".into()),
        zoom: 2.0,
        ..UiState::default()
    };
    assert_eq!(store.query(UiState::get()).unwrap(), expected);
    // An `Option` can be set to nothing, which is not the same as not setting it.
    store.commit(UiState::set().selected(None)).unwrap();
    assert_eq!(last_args(&store), r#"{"id":"static","value":{"selected":null}}"#);
    store.commit(UiState::set()).unwrap();
    assert_eq!(last_args(&store), r#"{"id":"static","value":{}}"#);
    assert_eq!(store.query(UiState::get()).unwrap(), UiState { selected: None, ..expected });
}

#[test]
fn a_whole_document_sets_every_field() {
    let store = open();
    store.commit(UiState::set().filter(Filter::Open)).unwrap();
    let set: <UiState as Document>::Set = UiState::default().into();
    store.commit(set.clone()).unwrap();
    assert_eq!(
        last_args(&store),
        r#"{"id":"static","value":{"newTodoText":"…","filter":"All","selected":null,"z":1}}"#
    );
    assert_eq!(store.query(UiState::get()).unwrap(), UiState::default());
}

#[test]
fn the_last_write_wins() {
    let store = open();
    let text = |text: &str| UiState::set().new_todo_text(text);
    store.commit([text("a"), text("ab"), text("abc").new_todo_text("b")]).unwrap();
    assert_eq!(store.query(UiState::get()).unwrap().new_todo_text, "b");
}

#[test]
fn documents_of_explicit_ids_are_their_own() {
    let store = open();
    store.commit(UiState::set().id("left").zoom(2.0)).unwrap();
    store.commit(UiState::set().id("right").zoom(3.0)).unwrap();
    let zoom = |query: GetDocument<UiState>| store.query(query).unwrap().zoom;
    assert_eq!(zoom(UiState::get_by("left")), 2.0);
    assert_eq!(zoom(UiState::get_by("right")), 3.0);
    assert_eq!(zoom(UiState::get()), 1.0);
    assert_eq!(zoom(UiState::get_by("it's")), 1.0);
}

#[test]
fn a_fixed_id_is_meant_in_every_window() {
    let directory = tempfile::tempdir().unwrap();
    let open = |window: &str| {
        let builder = Store::<App>::builder("documents").directory(directory.path());
        builder.window_id(window).open().unwrap()
    };
    let store = open("one");
    store.commit((Settings::set().dark(true), UiState::set().zoom(2.0))).unwrap();
    assert_eq!(last_args(&store), r#"{"id":"one","value":{"z":2}}"#);
    store.close().unwrap();

    let store = open("two");
    assert!(store.query(Settings::get()).unwrap().dark);
    assert!(store.query(Settings::get_by("app")).unwrap().dark);
    assert_eq!(store.query(UiState::get()).unwrap(), UiState::default());
    assert_eq!(store.query(UiState::get_by("one")).unwrap().zoom, 2.0);
    store.commit(Settings::set().languages(["de".to_owned()])).unwrap();
    assert_eq!(last_args(&store), r#"{"id":"app","value":{"languages":["de"]}}"#);
    let expected = Settings { dark: true, languages: vec!["de".into()] };
    assert_eq!(store.query(Settings::get()).unwrap(), expected);
}

#[test]
fn documents_survive_a_reopen_and_a_rebuild() {
    let directory = tempfile::tempdir().unwrap();
    let open = || Store::<App>::builder("documents").directory(directory.path()).open().unwrap();
    let expected = UiState { new_todo_text: "ä\"\0".into(), zoom: 0.1, ..UiState::default() };
    let store = open();
    store.commit(UiState::set().new_todo_text("ä\"\0").zoom(0.1)).unwrap();
    store.close().unwrap();
    let store = open();
    assert_eq!(store.query(UiState::get()).unwrap(), expected);
    let hash = store.state_hash().unwrap();
    store.reset_state().unwrap();
    assert_eq!(store.state_hash().unwrap(), hash);
    assert_eq!(store.query(UiState::get()).unwrap(), expected);
}

#[test]
fn a_set_event_never_leaves_its_client() {
    let store = open();
    store.commit((Happened, Settings::set().dark(true), Happened)).unwrap();
    let events: Vec<_> = store.events().into_iter().map(|event| event.unwrap()).collect();
    let seqs: Vec<_> = events.iter().map(|event| (&*event.name, event.seq.to_string())).collect();
    let [_, set, _] = events.as_slice() else { panic!("{seqs:?}") };
    assert!(set.is_client_only());
    assert_eq!(
        seqs,
        [
            ("v1.Happened", "e1".into()),
            ("settingsSet", "e1.1".into()),
            ("v1.Happened", "e2".into())
        ]
    );
    // Read back, it is the same event.
    let again: <Settings as Document>::Set = set.decode().unwrap();
    store.commit(again).unwrap();
    assert_eq!(last_args(&store), r#"{"id":"app","value":{"dark":true}}"#);
}

#[test]
fn a_document_in_a_batch_that_fails_is_not_set() {
    let store = open();
    let not_a_number = UiState::set().zoom(f64::NAN);
    assert!(store.commit((UiState::set().filter(Filter::Open), not_a_number)).is_err());
    assert_eq!(store.query(UiState::get()).unwrap(), UiState::default());
    assert_eq!(store.head().unwrap(), SeqNum::ROOT);
}

#[test]
fn the_changes_of_an_edited_copy_set_the_fields_that_differ() {
    let store = open();
    let before = store.query(UiState::get()).unwrap();
    let edited = UiState { selected: Some("a".into()), zoom: 2.0, ..before.clone() };
    // Meanwhile, another screen sets a field that was not edited.
    store.commit(UiState::set().new_todo_text("Milk")).unwrap();

    store.commit(before.changes(&edited).unwrap()).unwrap();
    assert!(
        last_args(&store).ends_with(r#""value":{"selected":"a","z":2}}"#),
        "{}",
        last_args(&store)
    );
    let after = UiState { new_todo_text: "Milk".into(), ..edited.clone() };
    assert_eq!(store.query(UiState::get()).unwrap(), after);
}

#[test]
fn a_copy_that_was_not_edited_has_no_changes() {
    let document = UiState { selected: Some("a".into()), ..UiState::default() };
    assert!(document.changes(&document.clone()).is_none());
}

/// A document that has no JSON differs in all fields, so that its commit says what is wrong.
#[test]
fn a_document_that_cannot_be_stored_is_not_taken_for_an_unchanged_one() {
    let store = open();
    let broken = UiState { zoom: f64::INFINITY, ..UiState::default() };
    let set = broken.changes(&broken.clone()).unwrap();
    assert!(store.commit(set).is_err());
}
