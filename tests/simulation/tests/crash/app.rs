//! Notes, in two versions of an app: the sample app, and a next one that has a column more.

use livestore::prelude::*;
use livestore::schema::Commit;
pub use livestore_testing::sample::notes::App as Notes;
use livestore_testing::sample::notes::{Note, NoteEvent};

/// The next version's table.
#[table(name = "note")]
#[derive(Debug, Clone, PartialEq)]
pub struct LongNote {
    #[column(primary_key)]
    pub id: String,
    pub text: String,
    pub length: i64,
}

#[derive(Event, Debug, Clone)]
#[event(name = "v1.NoteAdded")]
pub struct LongNoteAdded {
    pub id: String,
    pub text: String,
}

impl Materialize for LongNoteAdded {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        let length = self.text.len() as i64;
        state.insert(&LongNote { id: self.id.clone(), text: self.text.clone(), length })
    }
}

livestore::schema! { pub LongNotes { tables: [LongNote], events: [LongNoteAdded] } }

/// A version of the app, as the tests need it.
pub trait App: Schema + Sized {
    type Added: Commit<Self>;
    fn added(id: &str) -> Self::Added;
    fn ids(store: &Store<Self>) -> Vec<String>;
}

impl App for Notes {
    type Added = NoteEvent;

    fn added(id: &str) -> NoteEvent {
        NoteEvent::Added { id: id.into(), text: text(id) }
    }

    fn ids(store: &Store<Self>) -> Vec<String> {
        store.query(Note::all()).unwrap().into_iter().map(|note| note.id).collect()
    }
}

impl App for LongNotes {
    type Added = LongNoteAdded;

    fn added(id: &str) -> LongNoteAdded {
        LongNoteAdded { id: id.into(), text: text(id) }
    }

    fn ids(store: &Store<Self>) -> Vec<String> {
        store.query(LongNote::all()).unwrap().into_iter().map(|note| note.id).collect()
    }
}

/// Returns the text of a note. Some are longer than a page of the file.
pub fn text(id: &str) -> String {
    id.repeat(if id.ends_with('7') { 1_500 } else { 20 })
}
