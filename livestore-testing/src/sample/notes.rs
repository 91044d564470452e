//! Notes: events that conflict, events that do not, and one that stays on its client.

use livestore::prelude::*;

/// A note.
#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// The key.
    #[column(primary_key)]
    pub id: String,
    /// The text.
    pub text: String,
}

/// The things that can happen to notes.
#[derive(Event, Debug, Clone, PartialEq)]
pub enum NoteEvent {
    /// A new note. Where there is one with this id already, it cannot be applied.
    #[event(name = "v1.NoteAdded")]
    Added {
        /// The note's key.
        id: String,
        /// Its text.
        text: String,
    },
    /// A note's text, whether or not the note is new.
    #[event(name = "v1.NoteWritten")]
    Written {
        /// The note's key.
        id: String,
        /// Its text.
        text: String,
    },
    /// Another text for a note, if it is there.
    #[event(name = "v1.NoteChanged")]
    Changed {
        /// The note's key.
        id: String,
        /// Its text from now on.
        text: String,
    },
    /// A client-only event, which makes the note's text "seen".
    #[event(name = "v1.NoteSeen", client_only)]
    Seen {
        /// The note's key.
        id: String,
    },
}

impl Materialize for NoteEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        let change =
            |id: &str, text: &str| Note::update().set(Note::TEXT, text).filter(Note::ID.eq(id));
        match self {
            Self::Added { id, text } => state.insert(&note(id, text)),
            Self::Written { id, text } => state.upsert(&note(id, text)),
            Self::Changed { id, text } => state.run(change(id, text)),
            Self::Seen { id } => state.run(change(id, "seen")),
        }
    }
}

livestore::schema! {
    /// Notes.
    pub App { tables: [Note], events: [NoteEvent] }
}

/// Returns a note.
pub fn note(id: &str, text: &str) -> Note {
    Note { id: id.to_owned(), text: text.to_owned() }
}

/// Returns the event that adds a note with this id.
pub fn added(id: impl Into<String>) -> NoteEvent {
    let id = id.into();
    NoteEvent::Added { text: format!("text of {id}"), id }
}

/// Returns the event that writes a note with this id, whether or not it is new.
pub fn written(id: impl Into<String>) -> NoteEvent {
    let id = id.into();
    NoteEvent::Written { text: format!("text of {id}"), id }
}
