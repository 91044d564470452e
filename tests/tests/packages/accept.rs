//! No lock, a new one, one that is behind, one that is frozen.

use crate::scratch::Scratch;

const NOTED: &str = r#"
#[derive(Event)]
#[serde(rename_all = "camelCase")]
pub enum NoteEvent {
    #[event(name = "v1.Noted")]
    Noted { id: String, noted_at: Timestamp, tags: Vec<Tag> },
    #[event(name = "v1.Shown", client_only)]
    Shown { #[serde(default)] times: u32 },
}

#[derive(Serialize, Deserialize, Shape)]
pub enum Tag { Work, Named { name: String } }

impl Materialize for NoteEvent {
    fn materialize(&self, _: &mut Writer<'_>) -> Result<(), MaterializeError> { Ok(()) }
}

#[table]
pub struct Note {
    #[column(primary_key)]
    pub id: String,
    pub text: Option<String>,
}

#[client_document]
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Ui { pub zoom: u8 }

livestore::schema! { pub Notes { tables: [Note], documents: [Ui], events: [NoteEvent] } }
"#;

const LOCK: [&str; 16] = [
    "event UiSet = Ui (client-only, document)",
    "event UiSet zoom: u8 (optional)",
    "event v1.Noted = NoteEvent::Noted",
    "event v1.Noted id: String",
    "event v1.Noted notedAt: Timestamp",
    "event v1.Noted tags: Vec<Tag>",
    "event v1.Shown = NoteEvent::Shown (client-only)",
    "event v1.Shown times: u32 (default)",
    "type Tag = enum",
    "type Tag Named: {name:String}",
    "type Tag Work: unit",
    "table note = Note",
    "table note id: String (primary-key)",
    "table note text: Option<String>",
    "schema Notes Note: table",
    "schema Notes NoteEvent: event",
];

#[test]
fn without_a_lock_there_is_one_note() {
    let scratch = Scratch::library("without", NOTED);
    scratch.check("").passes_with(
        "note: package `without` has no livestore.lock: `LIVESTORE_SCHEMA=accept cargo check -p \
         without` writes one; from then on, a change that would make stored events unreadable does \
         not compile",
    );
    scratch.check("frozen").fails_with(&["there is no livestore.lock: write it with"]);
    scratch.check("froozen").fails_with(&["LIVESTORE_SCHEMA is `froozen`: it can be `accept`"]);
}

/// A package with a schema in its library and in two binaries, each of which is compiled on its own.
#[test]
fn the_note_comes_once_per_package_and_its_command_works() {
    let scratch = Scratch::library("noted", NOTED);
    for binary in ["src/main.rs", "src/bin/other.rs"] {
        scratch.write(binary, "fn main() {}");
    }
    let noted = scratch.check("");
    assert!(noted.passed && noted.text.matches("note: ").count() == 1, "{}", noted.text);
    // The second is what is printed on Windows, and works in any shell.
    let config = "env.LIVESTORE_SCHEMA='accept'";
    for (mode, arguments) in
        [("accept", &["-p", "noted"][..]), ("", &["--config", config, "-p", "noted"])]
    {
        scratch.remove("livestore.lock");
        assert!(scratch.check("").text.starts_with("note: "));
        scratch.check_with(mode, arguments).passes_with("");
        assert_eq!(scratch.lock().len(), LOCK.len() + 1);
    }
}

#[test]
fn a_package_can_opt_out() {
    let scratch = Scratch::library("opted-out", NOTED);
    let package = "[dependencies]";
    let metadata = "[package.metadata.livestore]\nlock = false\n\n[dependencies]";
    scratch.edit("Cargo.toml", package, metadata);
    for mode in ["", "frozen", "accept"] {
        scratch.check(mode).passes_with("");
    }
    assert!(!scratch.exists("livestore.lock"));
}

#[test]
fn accept_writes_every_item_and_frozen_rejects_a_difference() {
    let scratch = Scratch::library("accepted", NOTED);
    scratch.accept();
    let lock = scratch.lock();
    assert_eq!(lock[..16], LOCK);
    assert_eq!(lock[16..], ["schema Notes Ui: document"]);
    scratch.check("").passes_with("");
    scratch.check("frozen").passes_with("");
}

#[test]
fn what_is_new_is_a_note_until_it_is_frozen() {
    let scratch = Scratch::library("additive", NOTED);
    scratch.accept();
    scratch.edit("src/lib.rs", "times: u32", "times: u32, by: Option<String>");
    scratch.edit("src/lib.rs", "pub text:", "pub done: bool, pub text:");
    scratch.check("").passes_with(
        "note: event \"v1.Shown\": `by: Option<String> (optional)` is new: \
         `LIVESTORE_SCHEMA=accept cargo check` records it in livestore.lock",
    );
    scratch.check("frozen").fails_with(&[
        "event \"v1.Shown\": `by: Option<String> (optional)` is new, and livestore.lock is frozen",
        "table `note`: `done: bool` is new, and livestore.lock is frozen",
    ]);
    scratch.accept();
    assert!(scratch.lock().contains(&"event v1.Shown by: Option<String> (optional)".to_owned()));
    scratch.check("frozen").passes_with("");
}

#[test]
fn what_is_gone_leaves_the_lock_when_it_is_accepted() {
    let scratch = Scratch::library("gone", NOTED);
    scratch.accept();
    scratch.edit("src/lib.rs", "#[event(name = \"v1.Shown\", client_only)]", "");
    scratch.edit("src/lib.rs", "Shown { #[serde(default)] times: u32 },", "");
    scratch.edit("src/lib.rs", "pub text: Option<String>,", "");
    scratch.accept();
    let kept = |line: &&&str| !line.contains("Shown") && !line.contains("note text");
    let kept: Vec<_> = LOCK.iter().filter(kept).copied().collect();
    assert_eq!(scratch.lock()[..kept.len()], kept);
}

#[test]
fn a_lock_that_changes_is_read_again() {
    let scratch = Scratch::library("reread", NOTED);
    scratch.accept();
    scratch.check("").passes_with("");
    scratch.edit("livestore.lock", "v1.Noted id: String", "v1.Noted id: u64");
    scratch.check("").fails_with(&["event \"v1.Noted\": `id` was `u64` and is now `String`"]);
    scratch.edit("livestore.lock", "event v1.Noted id: u64\n", "<<<<<<< ours\n");
    scratch.check("").fails_with(&["livestore.lock cannot be read: <<<<<<< ours"]);
}
