//! The process ends between any two steps.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use livestore::prelude::*;
use livestore_files::Edit;

use crate::kit::{Kit, Note, commit, deleted, written};

/// Copies the index as it is now: what a crash at this moment would leave.
fn copy_index(root: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(root.join(".livestore")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn restore_index(root: &Path, from: &Path) {
    fs::remove_dir_all(root.join(".livestore")).unwrap();
    fs::rename(from, root.join(".livestore")).unwrap();
}

#[test]
fn what_was_edited_meanwhile_is_found() {
    let mut kit = Kit::new();
    for id in ["1", "2", "3", "4"] {
        kit.commit(written(id, id, id));
    }
    kit.sync();
    kit.close();
    kit.write("1.md", "edited");
    fs::remove_file(kit.at("2.md")).unwrap();
    fs::rename(kit.at("3.md"), kit.at("three.md")).unwrap();
    kit.write("5.md", "new");
    kit.commit(written("4", "four", "of the row"));
    kit.open();
    kit.sync();
    let mut log = kit.log();
    log.sort();
    assert_eq!(log, ["+ 5: new", "-2 2", ">3 3 three: 3", "~1 1: edited"]);
    assert_eq!(kit.files(), ["1.md: edited", "5.md: new", "four.md: of the row", "three.md: 3"]);
    assert_eq!(kit.rows().len(), 4);
}

#[test]
fn an_event_that_was_committed_but_not_noted_is_not_committed_again() {
    for kind in ["created", "changed", "removed", "renamed"] {
        let mut kit = Kit::closed();
        kit.commit(written("1", "Milk", "2 litres"));
        let copy = kit.root().with_file_name("copy");
        let root = kit.root().to_owned();
        let to = copy.clone();
        kit.open_with(move |store, edit| {
            commit(store, edit)?;
            // As if the process ended here.
            copy_index(&root, &to);
            Ok(())
        });
        kit.sync();
        match kind {
            "created" => kit.write("Bread.md", "rye"),
            "changed" => kit.write("Milk.md", "3 litres"),
            "removed" => fs::remove_file(kit.at("Milk.md")).unwrap(),
            _ => fs::rename(kit.at("Milk.md"), kit.at("Oat milk.md")).unwrap(),
        }
        kit.sync();
        let (rows, files, head) = (kit.rows(), kit.files(), kit.head());
        assert_eq!((head, kit.log().len()), (2, 1), "{kind}");
        kit.close();
        restore_index(kit.root(), &copy);
        kit.open();
        kit.sync();
        assert_eq!((kit.rows(), kit.files(), kit.head()), (rows, files, head), "{kind}");
    }
}

#[test]
fn an_edit_whose_commit_did_not_happen_is_passed_again_with_the_same_key() {
    let mut kit = Kit::closed();
    let copy = kit.root().with_file_name("copy");
    let (root, to) = (kit.root().to_owned(), copy.clone());
    let keys = Arc::<Mutex<Vec<String>>>::default();
    let note = |keys: &Arc<Mutex<Vec<String>>>| {
        let keys = Arc::clone(keys);
        move |edit: &Edit<'_>| {
            if let Edit::Created { key, .. } = *edit {
                keys.lock().unwrap().push(key.to_owned());
            }
        }
    };
    let first = note(&keys);
    kit.open_with(move |_, edit| {
        first(edit);
        copy_index(&root, &to);
        Ok(())
    });
    kit.sync();
    kit.write("Bread.md", "rye");
    kit.sync();
    assert_eq!(kit.head(), 0);
    kit.close();
    restore_index(kit.root(), &copy);
    let second = note(&keys);
    kit.open_with(move |store, edit| {
        second(edit);
        commit(store, edit)
    });
    kit.sync();
    let keys = keys.lock().unwrap();
    assert_eq!((keys.len(), kit.rows()), (2, vec![format!("{} Bread: rye", keys[1])]));
    assert_eq!(keys[0], keys[1]);
}

#[test]
fn a_file_that_was_written_but_not_noted_is_no_edit() {
    let mut kit = Kit::new();
    kit.commit(written("1", "Milk", "1"));
    kit.commit(written("2", "Bread", "1"));
    kit.sync();
    kit.close();
    let copy = kit.root().with_file_name("copy");
    copy_index(kit.root(), &copy);
    kit.open();
    kit.commit(written("1", "Milk", "2"));
    kit.commit(deleted("2"));
    kit.commit(written("3", "New", "1"));
    kit.sync();
    kit.close();
    restore_index(kit.root(), &copy);
    kit.open();
    kit.sync();
    assert_eq!((kit.log(), kit.head()), (vec![], 5));
    assert_eq!(kit.files(), ["Milk.md: 2", "New.md: 1"]);
}

#[test]
fn what_a_process_left_while_it_wrote_is_brought_in_order() {
    let mut kit = Kit::new();
    kit.commit(written("1", "a/Milk", "2 litres"));
    kit.sync();
    kit.close();
    // A file that was begun; one that was exchanged, with a text that is known; and one that is not.
    kit.write("a/.livestore-new-x1y2", "2 lit");
    kit.write("a/.livestore-old-Milk.md", "2 litres");
    kit.write(".livestore-old-Bread.md", "of the user");
    kit.open();
    kit.sync();
    let files = kit.files();
    assert_eq!(files.len(), 2, "{files:?}");
    assert!(
        files[0].starts_with("Bread.conflict-") && files[0].ends_with(": of the user"),
        "{files:?}"
    );
    let hidden = |folder: &str| {
        let names = fs::read_dir(kit.at(folder)).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(".livestore-")).count()
    };
    assert_eq!((hidden(""), hidden("a")), (0, 0));
    assert_eq!(kit.store.query(Note::all().count()).unwrap(), 1);
}
