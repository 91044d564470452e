//! Notes as Markdown files.

use livestore::prelude::*;
use livestore_files::{Edit, Mapping, Markdown, Rejected};

use crate::model::{App, Note, NoteEvent};

/// The front matter. Whoever makes a file needs none.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
struct Fields {
    /// The note's key, by which it is known whatever its name is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
}

/// Notes as Markdown files.
#[derive(Debug)]
pub struct MarkdownNotes;

impl Mapping for MarkdownNotes {
    type Schema = App;
    type Row = Note;
    const EXTENSION: &'static str = "md";

    fn key(&self, note: &Note) -> String {
        note.id.clone()
    }

    fn path(&self, note: &Note) -> String {
        note.path.clone()
    }

    fn text(&self, note: &Note) -> String {
        let fields = Fields { id: Some(note.id.clone()), tags: note.tags.to_vec() };
        let text = note.text.clone();
        // Texts and lists of texts have a form in YAML.
        Markdown { fields, text }.to_text().unwrap_or_else(|_| note.text.clone())
    }

    fn edit(&self, store: &Store<App>, edit: &Edit<'_>) -> Result<(), Rejected> {
        match *edit {
            Edit::Created { key, path, text } => write(store, key, path, text),
            Edit::Changed { key, path, text } => write(store, key, path, text),
            Edit::Renamed { key, path, text, .. } => {
                write(store, key, path, text)?;
                let is_there = store.query(Note::get(key))?.is_some_and(|note| note.path == path);
                if !is_there {
                    store.commit(NoteEvent::Moved { id: key.into(), path: path.into() })?;
                }
                Ok(())
            }
            Edit::Removed { key, .. } => {
                if let Some(note) = store.query(Note::get(key))? {
                    store.commit(NoteEvent::Deleted { id: note.id, based_on: note.revision })?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn key_in(&self, text: &str) -> Option<String> {
        Markdown::<Fields>::parse(text).ok()?.fields.id
    }
}

/// Commits the text of a note, if it is not the one that the note has.
fn write(store: &Store<App>, id: &str, path: &str, file: &str) -> Result<(), Rejected> {
    let Markdown { fields: Fields { tags, .. }, text } = Markdown::<Fields>::parse(file)?;
    let before = store.query(Note::get(id))?;
    if let Some(before) = &before {
        if before.text == text && *before.tags == tags {
            return Ok(());
        }
        // Some editors leave that behind when they fail. Who wants to be rid of a note removes its file.
        if file.is_empty() {
            return Err(Rejected::new("the file is empty, without even its front matter"));
        }
    }
    let (id, path, based_on) = (id.into(), path.into(), before.map(|before| before.revision));
    store.commit(NoteEvent::Written { id, path, tags, text, revision: new_id(), based_on })?;
    Ok(())
}
