//! The walk-through of `docs/devtools.md`: a bug in a materializer is found, step by step.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use livestore::prelude::*;
use livestore_devtools::host::{Conversation, Host};
use livestore_devtools::protocol::VERSION;
use serde_json::{Value as Json, json};

/// A note.
#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// Its key.
    #[column(primary_key)]
    pub id: String,
    /// What it is called.
    pub title: String,
    /// Whether it is out of sight.
    #[column(default = false)]
    pub archived: bool,
}

/// What happens to notes.
#[derive(Event, Debug, Clone)]
pub enum NoteEvent {
    /// A new one.
    #[event(name = "v1.NoteAdded")]
    Added {
        /// Its key.
        id: String,
        /// What it is called.
        title: String,
    },
    /// One goes out of sight.
    #[event(name = "v1.NoteArchived")]
    Archived {
        /// Its key.
        id: String,
    },
}

impl Materialize for NoteEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self {
            Self::Added { id, title } => {
                state.insert(&Note { id: id.clone(), title: title.clone(), archived: false })
            }
            Self::Archived { id } => {
                let note = state.query(Note::get(id))?;
                let title = note.map(|note| note.title).unwrap_or_default();
                // The bug: notes of the same title are archived with it.
                state.run(Note::update().set(Note::ARCHIVED, true).filter(Note::TITLE.eq(title)))
            }
        }
    }
}

livestore::schema! { pub App { tables: [Note], events: [NoteEvent] } }

fn ask(page: &Conversation, method: &str, params: Json) -> Json {
    let call = json!({ "id": 1, "method": method, "params": params }).to_string();
    let answer: Json = serde_json::from_str(&page.answer(&call)).unwrap();
    assert!(answer.get("error").is_none(), "{method}: {answer}");
    answer["result"].clone()
}

#[test]
fn a_materializer_that_changes_too_much_is_found() {
    let store = Store::<App>::builder("notes").open().unwrap();
    let added = |id: &str, title: &str| {
        let (id, title) = (id.to_owned(), title.to_owned());
        store.commit(NoteEvent::Added { id, title }).unwrap();
    };
    for (id, title) in [("a", "Shopping"), ("b", "Ideas"), ("c", "Shopping")] {
        added(id, title);
    }
    store.commit(NoteEvent::Archived { id: "a".to_owned() }).unwrap();
    added("d", "Travel");

    let page = Host::new(&store).converse();
    ask(&page, "hello", json!({ "version": VERSION }));

    // 1. Data: note c is archived, and its history says by which event.
    let history = ask(&page, "rowHistory", json!({ "table": "note", "key": ["c"] }));
    let last = history["changes"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["event"]["seq"], &last["after"][2]), (&json!("e4"), &json!(1)));

    // 2. Eventlog: the event names note a, and has changed two rows.
    let event = ask(&page, "event", json!({ "seq": "e4" }));
    assert_eq!(event["args"], json!({ "id": "a" }));
    assert_eq!(event["changes"].as_array().unwrap().len(), 2);

    // 3. Time travel: right before it, note c was there; the comparison shows both rows.
    let diff = json!({ "from": { "at": "e3" }, "to": { "at": "e4" }, "limit": 10 });
    assert_eq!(ask(&page, "diff", diff)["tables"][0]["changed"], 2);

    // 4. A fork: it happens again, so it is the materializer.
    let fork = ask(&page, "fork", json!({ "at": "e3" }))["fork"].clone();
    let again = json!({ "fork": fork, "name": "v1.NoteArchived", "args": { "id": "a" } });
    ask(&page, "commit", again);
    let archived = json!({
        "source": { "fork": fork }, "sql": "SELECT id FROM note WHERE archived", "limit": 10
    });
    assert_eq!(ask(&page, "sql", archived)["rows"], json!([["a"], ["c"]]));

    // 5. As a test: the events up to there.
    let code = ask(&page, "asTest", json!({ "to": "e4", "table": "note" }))["code"].clone();
    assert!(code.as_str().unwrap().contains("v1.NoteArchived"), "{code}");
}
