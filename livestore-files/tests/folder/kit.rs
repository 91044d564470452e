//! Notes, and a folder of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use livestore::prelude::*;
use livestore_files::{Edit, Folder, Mapping, Rejected};
use tempfile::TempDir;

#[table]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Note {
    #[column(primary_key)]
    pub(crate) id: String,
    pub(crate) path: String,
    pub(crate) text: String,
}

#[derive(Event, Debug, Clone, PartialEq)]
pub(crate) enum NoteEvent {
    #[event(name = "v1.NoteWritten")]
    Written { id: String, path: String, text: String },
    #[event(name = "v1.NoteDeleted")]
    Deleted { id: String },
}

impl Materialize for NoteEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self.clone() {
            Self::Written { id, path, text } => state.upsert(&Note { id, path, text }),
            Self::Deleted { id } => state.run(Note::delete().filter(Note::ID.eq(id))),
        }
    }
}

livestore::schema! { pub(crate) App { tables: [Note], events: [NoteEvent] } }

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn written(id: &str, path: &str, text: &str) -> NoteEvent {
    NoteEvent::Written { id: id.into(), path: path.into(), text: text.into() }
}

pub(crate) fn deleted(id: &str) -> NoteEvent {
    NoteEvent::Deleted { id: id.into() }
}

/// What the app does with an edit.
pub(crate) type OnEdit = Box<dyn Fn(&Store<App>, &Edit<'_>) -> Result<(), Rejected> + Send + Sync>;

/// The mapping. A text may begin with `id: ` and the key.
pub(crate) struct Notes {
    /// The edits that the app was asked about, such as "~1 a: text".
    pub(crate) log: Arc<Mutex<Vec<String>>>,
    pub(crate) on_edit: OnEdit,
}

impl Mapping for Notes {
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
        note.text.clone()
    }

    fn edit(&self, store: &Store<App>, edit: &Edit<'_>) -> Result<(), Rejected> {
        self.log.lock().unwrap().push(match *edit {
            Edit::Created { path, text, .. } => format!("+ {path}: {text}"),
            Edit::Changed { key, path, text } => format!("~{key} {path}: {text}"),
            Edit::Renamed { key, from, path, text } => format!(">{key} {from} {path}: {text}"),
            Edit::Removed { key, path } => format!("-{key} {path}"),
            _ => unreachable!(),
        });
        (self.on_edit)(store, edit)
    }

    fn key_in(&self, text: &str) -> Option<String> {
        text.lines().next()?.strip_prefix("id: ").map(str::to_owned)
    }
}

/// Commits what the edit says, unless the row says it already.
pub(crate) fn commit(store: &Store<App>, edit: &Edit<'_>) -> Result<(), Rejected> {
    match *edit {
        Edit::Created { key, path, text }
        | Edit::Changed { key, path, text }
        | Edit::Renamed { key, path, text, .. } => {
            if text.contains("broken") {
                return Err(Rejected::new("the text is broken"));
            }
            let note = Note { id: key.into(), path: path.into(), text: text.into() };
            if store.query(Note::get(key))? != Some(note) {
                store.commit(written(key, path, text))?;
            }
        }
        Edit::Removed { key, .. } => drop(store.commit(deleted(key))?),
        _ => unreachable!(),
    }
    Ok(())
}

/// A store, and a folder of its notes.
pub(crate) struct Kit {
    pub(crate) store: Store<App>,
    pub(crate) folder: Option<Folder>,
    log: Arc<Mutex<Vec<String>>>,
    path: PathBuf,
    _directory: TempDir,
}

impl Kit {
    pub(crate) fn new() -> Self {
        let mut kit = Self::closed();
        kit.open();
        kit
    }

    pub(crate) fn closed() -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("notes");
        let data = directory.path().join("data");
        let store = Store::<App>::builder("notes").directory(data).open().unwrap();
        let log = Arc::default();
        Self { store, folder: None, log, path, _directory: directory }
    }

    pub(crate) fn open(&mut self) {
        self.open_with(commit);
    }

    pub(crate) fn open_with(
        &mut self,
        on_edit: impl Fn(&Store<App>, &Edit<'_>) -> Result<(), Rejected> + Send + Sync + 'static,
    ) {
        self.folder = None;
        self.folder = Some(Folder::open(&self.path, &self.store, self.notes(on_edit)).unwrap());
    }

    pub(crate) fn notes(
        &self,
        on_edit: impl Fn(&Store<App>, &Edit<'_>) -> Result<(), Rejected> + Send + Sync + 'static,
    ) -> Notes {
        Notes { log: Arc::clone(&self.log), on_edit: Box::new(on_edit) }
    }

    pub(crate) fn close(&mut self) {
        self.folder = None;
    }

    pub(crate) fn folder(&self) -> &Folder {
        self.folder.as_ref().unwrap()
    }

    #[track_caller]
    pub(crate) fn sync(&self) {
        self.folder().sync(PATIENCE).unwrap();
    }

    pub(crate) fn root(&self) -> &Path {
        &self.path
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.path.join(path)
    }

    pub(crate) fn commit(&self, event: NoteEvent) {
        self.store.commit(event).unwrap();
    }

    /// Writes a file as an editor does, in place.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        fs::write(self.at(path), text).unwrap();
    }

    /// All files but hidden ones, each as "path: text".
    pub(crate) fn files(&self) -> Vec<String> {
        let (mut files, mut folders) = (Vec::new(), vec![self.path.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                let kind = entry.file_type().unwrap();
                if entry.file_name().to_string_lossy().starts_with('.') {
                    continue;
                } else if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file() {
                    let path = entry.path();
                    let relative = path.strip_prefix(&self.path).unwrap().to_string_lossy();
                    let text = fs::read(&path).unwrap();
                    files.push(format!("{relative}: {}", String::from_utf8_lossy(&text)));
                }
            }
        }
        files.sort();
        files
    }

    /// All notes, each as "id path: text".
    pub(crate) fn rows(&self) -> Vec<String> {
        let notes = self.store.query(Note::all().order_by(Note::ID)).unwrap();
        notes.iter().map(|note| format!("{} {}: {}", note.id, note.path, note.text)).collect()
    }

    /// The edits since the last call.
    pub(crate) fn log(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }

    pub(crate) fn head(&self) -> u64 {
        self.store.head().unwrap().global
    }
}
