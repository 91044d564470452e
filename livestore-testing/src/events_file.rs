//! Events from a file.

use std::path::{Path, PathBuf};
use std::{fs, io};

use livestore::Store;
use livestore::schema::Schema;
use livestore::tools::{CommitByNameError, NamedEvent};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Commits the events of a file, in their order, each as a commit of its own; returns their number.
///
/// The file is what `livestore export` writes, in either of its formats: a JSON object on each line with an
/// event's `name` and `args`, or LiveStore's document. What else an event has, such as its number, is not
/// read: the store gives it a new one. Client-only events are committed, too.
///
/// ```
/// use livestore::prelude::*;
/// use livestore_testing::sample::notes::App;
/// use livestore_testing::{commit_events, state_text};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("two_notes.jsonl");
/// # std::fs::write(&path, r#"
/// #     {"name": "v1.NoteAdded", "args": {"id": "a", "text": "Milk"}}
/// #     {"name": "v1.NoteChanged", "args": {"id": "a", "text": "Oat milk"}}
/// # "#)?;
/// // {"name": "v1.NoteAdded", "args": {"id": "a", "text": "Milk"}}
/// // {"name": "v1.NoteChanged", "args": {"id": "a", "text": "Oat milk"}}
/// let store = Store::<App>::builder("notes").open()?;
/// assert_eq!(commit_events(&store, &path)?, 2);
/// assert_eq!(state_text(&store)?, "note id='a' text='Oat milk'\n");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If the file cannot be read, or one of its events not be committed. Those before it were.
pub fn commit_events<S: Schema>(
    store: &Store<S>,
    path: impl AsRef<Path>,
) -> Result<usize, EventsFileError> {
    let path = path.as_ref();
    let text = fs::read_to_string(path)
        .map_err(|source| EventsFileError::Read { path: path.to_owned(), source })?;
    let events =
        read(&text).map_err(|source| EventsFileError::Parse { path: path.to_owned(), source })?;
    for (index, event) in events.iter().enumerate() {
        let args = event.args.as_ref().map_or("", |args| args.get());
        store.tools().commit(&[NamedEvent::new(&event.name, args)]).map_err(|source| {
            EventsFileError::Commit {
                path: path.to_owned(),
                event: index + 1,
                source: Box::new(source),
            }
        })?;
    }
    Ok(events.len())
}

/// Why the events of a file were not committed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventsFileError {
    /// The file cannot be read.
    #[error("the events in {} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The file does not have events.
    #[error(
        "{} is not a file of events: it takes one JSON object with a `name` and `args` on each line, or an \
         export of LiveStore's",
        path.display()
    )]
    Parse {
        /// The file.
        path: PathBuf,
        /// The reason, and the line.
        source: serde_json::Error,
    },
    /// An event was refused.
    #[error("event {event} of {} was not committed", path.display())]
    Commit {
        /// The file.
        path: PathBuf,
        /// The event's position in the file, from 1.
        event: usize,
        /// The reason.
        source: Box<CommitByNameError>,
    },
}

/// An event of the file.
#[derive(Deserialize)]
struct FileEvent {
    name: String,
    #[serde(default, deserialize_with = "present")]
    args: Option<Box<RawValue>>,
}

/// Reads a field that is there, also if it is `null`.
fn present<'de, D: Deserializer<'de>>(field: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::deserialize(field).map(Some)
}

/// LiveStore's export.
#[derive(Deserialize)]
struct Document {
    events: Vec<FileEvent>,
}

fn read(text: &str) -> Result<Vec<FileEvent>, serde_json::Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match serde_json::from_str::<Document>(text) {
        Ok(document) => Ok(document.events),
        Err(_) => serde_json::Deserializer::from_str(text).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn args_that_are_null_are_not_missing() {
        let read = read(r#"{"name":"a"} {"name":"b","args":null}"#).unwrap();
        let args: Vec<_> =
            read.iter().map(|event| event.args.as_ref().map(|args| args.get())).collect();
        assert_eq!(args, [None, Some("null")]);
    }
}
