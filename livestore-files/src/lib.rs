//! Rows of a LiveStore store as files of a folder: Markdown, JSON, or any other text. They can be read by any
//! program and edited in any editor, and an edit becomes an event.
//!
//! An app says how its rows are files with a [`Mapping`], and opens a [`Folder`]:
//!
//! ```
//! use livestore::prelude::*;
//! use livestore_files::{Edit, Folder, Mapping, Rejected};
//!
//! #[table]
//! #[derive(Debug, Clone, PartialEq)]
//! struct Note { #[column(primary_key)] id: String, title: String, text: String }
//!
//! #[derive(Event, Debug, Clone)]
//! enum NoteEvent {
//!     #[event(name = "v1.NoteWritten")]
//!     Written { id: String, title: String, text: String },
//!     #[event(name = "v1.NoteDeleted")]
//!     Deleted { id: String },
//! }
//!
//! impl Materialize for NoteEvent {
//!     fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
//!         match self.clone() {
//!             Self::Written { id, title, text } => state.upsert(&Note { id, title, text }),
//!             Self::Deleted { id } => state.run(Note::delete().filter(Note::ID.eq(id))),
//!         }
//!     }
//! }
//!
//! livestore::schema! { App { tables: [Note], events: [NoteEvent] } }
//!
//! struct Notes;
//!
//! impl Mapping for Notes {
//!     type Schema = App;
//!     type Row = Note;
//!     const EXTENSION: &'static str = "md";
//!
//!     fn key(&self, note: &Note) -> String { note.id.clone() }
//!     fn path(&self, note: &Note) -> String { note.title.clone() }
//!     fn text(&self, note: &Note) -> String { note.text.clone() }
//!
//!     fn edit(&self, store: &Store<App>, edit: &Edit<'_>) -> Result<(), Rejected> {
//!         let event = match *edit {
//!             Edit::Created { key, path, text }
//!             | Edit::Changed { key, path, text }
//!             | Edit::Renamed { key, path, text, .. } => {
//!                 NoteEvent::Written { id: key.into(), title: path.into(), text: text.into() }
//!             }
//!             Edit::Removed { key, .. } => NoteEvent::Deleted { id: key.into() },
//!             _ => return Ok(()),
//!         };
//!         store.commit(event)?;
//!         Ok(())
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use std::time::Duration;
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path();
//! let store = Store::<App>::builder("notes").open()?;
//! let folder = Folder::open(path, &store, Notes)?;
//!
//! store.commit(NoteEvent::Written { id: "1".into(), title: "Milk".into(), text: "2 litres".into() })?;
//! folder.sync(Duration::from_secs(10))?;                  // a test waits; an app need not
//! assert_eq!(std::fs::read_to_string(path.join("Milk.md"))?, "2 litres");
//!
//! std::fs::write(path.join("Milk.md"), "oat milk")?;      // in any editor
//! folder.sync(Duration::from_secs(10))?;
//! assert_eq!(store.query(Note::get("1"))?.unwrap().text, "oat milk");
//! # Ok(())
//! # }
//! ```
//!
//! [`Markdown`] reads and writes front matter. `examples/markdown-notes` is a whole app: a folder of notes that
//! is synced between machines.
//!
//! # What is promised
//!
//! **A file is what its row says**, a moment after each commit, pull and rebase. It is written under another name
//! and then renamed, so that nobody sees a half-written one; with [`synced`](Builder::synced), which is the
//! default, it is on disk before it has its name. A row that goes takes its file with it.
//!
//! **No text is lost.** What somebody else has written is never overwritten: if a file was edited and its row
//! has changed, too, or the edit was [rejected](Rejected), the text is kept beside the file as
//! `name.conflict-1a2b3c4d.md`. Such a file is nobody's row. Files are exchanged in one step on Linux and macOS,
//! so that this holds until the last moment; elsewhere there is an instant in which a file that another program
//! renames into place can be lost. So can what a program writes into a file that it had open before the
//! exchange.
//!
//! An editor that has an old text open, and saves it over a newer one, has edited the newer one: the
//! two cannot be distinguished.
//! Most editors ask first, because the file has changed.
//!
//! **An edit is passed to the app once it is finished**: when nothing has happened to the file for 100 ms. A
//! file that is missing counts as removed after half a second, because editors save by renaming. A new
//! name with the old text, or the old key ([`Mapping::key_in`]), is a [renaming](Edit::Renamed). A file that
//! this crate has written is no edit.
//!
//! **Wherever the process ends, nothing is lost and nothing happens twice.** An index in the folder, in
//! `.livestore`, says what files and rows agreed on last, and what is about to be written. What is different when
//! the folder is opened again was edited meanwhile. An edit whose commit was not noted is passed again, which is
//! why [`Mapping::edit`] commits nothing that the row says already.
//!
//! **A folder that is gone is no edit.** It is made again, with all files: rows are removed by removing files. A folder
//! counts as gone once its index is; while a program takes long to remove it file by file, those are removed files.
//!
//! **What is not read** is listed among the [problems](Folder::problems): symbolic links, which are never
//! followed; files of more than 1 MiB; text that is not UTF-8. Hidden files, and those with another extension,
//! are ignored, and with them those of editors.
//!
//! Watching a folder is not reliable on any system: events are lost when there are too many, and network file
//! systems send none. So the whole folder is also read once a minute, and every five seconds where it cannot be
//! watched.

mod disk;
mod edits;
mod folder;
mod front_matter;
mod hash;
mod index;
mod mapping;
mod path;
mod report;
mod target;
mod watch;
mod worker;

pub use folder::{Builder, Folder, OpenError, SyncError};
pub use front_matter::{FrontMatterError, Markdown};
pub use index::IndexError;
pub use mapping::{Edit, Mapping, Rejected};
pub use target::WriteError;
