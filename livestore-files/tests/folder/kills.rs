//! A process that is killed while it writes files.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use livestore::prelude::*;
use livestore_files::Folder;
use livestore_testing::wait_until;
use tempfile::TempDir;

use crate::kit::{App, Note, Notes, PATIENCE, commit, deleted, written};

const DIRECTORY: &str = "LIVESTORE_FILES_CHILD";

fn open(directory: &Path) -> (Store<App>, Folder, Notes) {
    let notes = || Notes { log: Default::default(), on_edit: Box::new(commit) };
    let store = Store::<App>::builder("notes").directory(directory.join("data")).open().unwrap();
    let (mapping, log) = (notes(), notes());
    let mapping = Notes { log: std::sync::Arc::clone(&log.log), ..mapping };
    let folder =
        Folder::builder(directory.join("notes")).synced(false).open(&store, mapping).unwrap();
    (store, folder, log)
}

/// A process, which ends with its test.
struct Child(std::process::Child);

impl Child {
    fn start(directory: &Path) -> Self {
        let mut child = Command::new(env::current_exe().unwrap());
        let child = child.args(["--exact", "kills::child"]).env(DIRECTORY, directory);
        Self(child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// The process that is killed; run by itself, it does nothing.
#[test]
fn child() {
    let Ok(directory) = env::var(DIRECTORY) else { return };
    let (store, folder, _) = open(Path::new(&directory));
    let begin = store.head().unwrap().global;
    for n in begin.. {
        let (id, at) = (n % 40, n % 3);
        let event = match n % 7 {
            6 => deleted(&id.to_string()),
            _ => written(&id.to_string(), &format!("d{at}/{}", n % 50), &format!("text {n}")),
        };
        store.commit(event).unwrap();
    }
    drop(folder);
}

#[test]
fn a_kill_leaves_no_conflict_no_edit_and_no_old_file() {
    let temp = TempDir::new().unwrap();
    let directory = temp.path();
    for round in 0..6 {
        let child = Child::start(directory);
        // Until it has written some more.
        let newest = || {
            let walk = |folder: &str| fs::read_dir(directory.join("notes").join(folder)).ok();
            let files = ["d0", "d1", "d2"].into_iter().filter_map(walk).flatten().flatten();
            files.filter_map(|file| file.metadata().ok()?.modified().ok()).max()
        };
        let before = newest();
        wait_until(|| newest() > before);
        drop(child);

        let (store, folder, log) = open(directory);
        let head = store.head().unwrap();
        folder.sync(PATIENCE).unwrap();
        assert_eq!(*log.log.lock().unwrap(), [""; 0], "round {round}");
        assert_eq!(store.head().unwrap(), head, "round {round}");
        let mut files = 0;
        for name in ["d0", "d1", "d2"] {
            let Ok(entries) = fs::read_dir(folder.path().join(name)) else { continue };
            for entry in entries {
                let name = entry.unwrap().file_name().into_string().unwrap();
                assert!(
                    !name.contains("conflict") && !name.starts_with('.'),
                    "round {round}: {name}"
                );
                files += 1;
            }
        }
        assert_eq!(files, store.query(Note::all().count()).unwrap(), "round {round}");
    }
}
