//! Notes, and what becomes of two edits of one note.

use livestore::prelude::*;

/// A note.
#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    #[column(primary_key)]
    pub id: String,
    /// Where its file is, relative to the folder, without the extension.
    pub path: String,
    pub tags: Json<Vec<String>>,
    pub text: String,
    /// New with each edit.
    pub revision: String,
    /// The note that somebody else has edited at the same time, if this is what became of an edit of it.
    #[column(index)]
    pub conflict_of: Option<String>,
}

#[derive(Event, Debug, Clone, PartialEq)]
pub enum NoteEvent {
    /// A note has this text, new or not.
    #[event(name = "v1.NoteWritten")]
    Written {
        id: String,
        path: String,
        tags: Vec<String>,
        text: String,
        revision: String,
        /// The revision that was edited.
        based_on: Option<String>,
    },
    #[event(name = "v1.NoteMoved")]
    Moved { id: String, path: String },
    /// A note is deleted, unless somebody has edited it since this revision.
    #[event(name = "v1.NoteDeleted")]
    Deleted { id: String, based_on: String },
}

impl Materialize for NoteEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self {
            Self::Written { .. } => self.write(state),
            Self::Moved { id, path } => {
                state.run(Note::update().set(Note::PATH, path).filter(Note::ID.eq(id)))
            }
            Self::Deleted { id, based_on } => state
                .run(Note::delete().filter(Note::ID.eq(id)).filter(Note::REVISION.eq(based_on))),
        }
    }
}

impl NoteEvent {
    /// Whose edit comes first in the order of all events has the note. Another edit of the same revision becomes a
    /// note beside it; further edits behind that one go there, too.
    fn write(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        let Self::Written { id, path, tags, text, revision, based_on } = self.clone() else {
            return Ok(());
        };
        let note = Note { id, path, tags: Json(tags), text, revision, conflict_of: None };
        let Some(before) = state.query(Note::get(&note.id))? else { return state.upsert(&note) };
        if based_on.as_ref() == Some(&before.revision) {
            return state.upsert(&Note {
                path: before.path,
                conflict_of: before.conflict_of,
                ..note
            });
        }
        let beside = Note::filter(Note::CONFLICT_OF.eq(Some(note.id.clone())));
        let beside = beside.filter(Note::REVISION.eq(based_on.unwrap_or_default()));
        if let Some(beside) = state.query(beside.first())? {
            return state.upsert(&Note {
                text: note.text,
                tags: note.tags,
                revision: note.revision,
                ..beside
            });
        }
        let short: String = note.revision.chars().take(8).collect();
        state.upsert(&Note {
            id: format!("{}.{short}", note.id),
            path: format!("{}.conflict-{short}", before.path),
            conflict_of: Some(note.id.clone()),
            ..note
        })
    }
}

livestore::schema! { pub App { tables: [Note], events: [NoteEvent] } }
