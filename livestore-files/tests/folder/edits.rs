//! What users and their editors do.

use std::fs;
use std::io::Write;

use livestore::prelude::*;
use livestore_testing::wait_until;

use crate::kit::{Kit, Note, commit, deleted, written};
use livestore_files::Edit;

#[test]
fn a_row_is_a_file_and_takes_it_along() {
    let kit = Kit::new();
    kit.commit(written("1", "Milk", "2 litres"));
    kit.commit(written("2", "Projects/Shed", "wood"));
    kit.sync();
    assert_eq!(kit.files(), ["Milk.md: 2 litres", "Projects/Shed.md: wood"]);
    kit.commit(written("1", "Food/Milk", "3 litres"));
    kit.commit(deleted("2"));
    kit.sync();
    assert_eq!(kit.files(), ["Food/Milk.md: 3 litres"]);
    assert!(!kit.at("Projects").exists(), "an empty folder goes, too");
    assert_eq!(kit.log(), [""; 0]);
}

#[test]
fn files_that_are_made_edited_and_removed_become_events() {
    let kit = Kit::new();
    kit.write("a/Milk.md", "2 litres");
    kit.sync();
    let note = kit.store.query(Note::all().one()).unwrap();
    assert_eq!((note.path.as_str(), note.text.as_str()), ("a/Milk", "2 litres"));
    kit.write("a/Milk.md", "3 litres");
    kit.sync();
    fs::remove_file(kit.at("a/Milk.md")).unwrap();
    kit.sync();
    assert_eq!(kit.rows(), [""; 0]);
    let id = &note.id;
    let expected = [
        "+ a/Milk: 2 litres".to_owned(),
        format!("~{id} a/Milk: 3 litres"),
        format!("-{id} a/Milk"),
    ];
    assert_eq!(kit.log(), expected);
    assert_eq!(kit.head(), 3);
}

#[test]
fn nobody_needs_to_ask_for_it() {
    let kit = Kit::new();
    kit.commit(written("1", "Milk", "2 litres"));
    wait_until(|| kit.at("Milk.md").exists());
    kit.write("Milk.md", "3 litres");
    wait_until(|| kit.rows() == ["1 Milk: 3 litres"]);
    kit.write("new/Bread.md", "rye");
    wait_until(|| kit.rows().len() == 2);
    fs::remove_file(kit.at("Milk.md")).unwrap();
    wait_until(|| kit.rows().len() == 1);
    fs::rename(kit.at("new"), kit.at("old")).unwrap();
    wait_until(|| kit.rows()[0].ends_with("old/Bread: rye"));
}

#[test]
fn what_is_written_here_does_not_come_back() {
    let kit = Kit::new();
    for n in 0..50 {
        kit.commit(written(&n.to_string(), &format!("d{}/n{n}", n % 3), "text"));
        kit.commit(written("0", "moves/about", &n.to_string()));
    }
    kit.sync();
    for n in 0..50 {
        kit.commit(written("0", &format!("moves/about{}", n % 2), &n.to_string()));
    }
    kit.sync();
    assert_eq!(kit.log(), [""; 0]);
    assert_eq!(kit.head(), 150);
    assert_eq!(kit.files().len(), 50);
}

#[test]
fn editors_that_save_by_renaming_change_a_file() {
    let kit = Kit::new();
    kit.commit(written("1", "Milk", "old"));
    kit.sync();
    // Write another file, and rename it.
    kit.write(".Milk.md.tmp", "first");
    fs::rename(kit.at(".Milk.md.tmp"), kit.at("Milk.md")).unwrap();
    kit.sync();
    // Rename the file, and write it again.
    fs::rename(kit.at("Milk.md"), kit.at("Milk.md~")).unwrap();
    kit.write("4913", "");
    fs::remove_file(kit.at("4913")).unwrap();
    kit.write(".Milk.md.swp", [0; 10]);
    kit.write("Milk.md", "second");
    kit.sync();
    assert_eq!(kit.log(), ["~1 Milk: first", "~1 Milk: second"]);
    assert_eq!(kit.rows(), ["1 Milk: second"]);
    assert!(kit.folder().problems().is_empty());
}

#[test]
fn a_file_with_another_name_is_the_same_row() {
    let kit = Kit::new();
    kit.commit(written("1", "Milk", "2 litres"));
    kit.commit(written("2", "Bread", "id: 2\nrye"));
    kit.sync();
    fs::rename(kit.at("Milk.md"), kit.at("Oat milk.md")).unwrap();
    // This one is edited, too.
    fs::remove_file(kit.at("Bread.md")).unwrap();
    kit.write("Food/Bread.md", "id: 2\nwheat");
    kit.sync();
    assert_eq!(kit.rows(), ["1 Oat milk: 2 litres", "2 Food/Bread: id: 2\nwheat"]);
    let mut log = kit.log();
    log.sort();
    let expected = [">1 Milk Oat milk: 2 litres", ">2 Bread Food/Bread: id: 2\nwheat"];
    assert_eq!(log, expected);
    assert_eq!(kit.files(), ["Food/Bread.md: id: 2\nwheat", "Oat milk.md: 2 litres"]);
}

#[test]
fn a_copy_of_a_file_is_a_new_row() {
    let kit = Kit::new();
    kit.commit(written("1", "Milk", "id: 1\nx"));
    kit.sync();
    fs::copy(kit.at("Milk.md"), kit.at("Copy.md")).unwrap();
    kit.sync();
    assert_eq!(kit.log(), ["+ Copy: id: 1\nx"]);
    assert_eq!(kit.rows().len(), 2);
}

#[test]
fn a_file_is_what_its_row_makes_of_it() {
    let mut kit = Kit::closed();
    // An app that has all texts in capitals, and lets nothing be removed or renamed.
    kit.open_with(|store, edit| match *edit {
        Edit::Created { key, path, text } | Edit::Changed { key, path, text } => {
            store.commit(written(key, path, &text.to_uppercase()))?;
            Ok(())
        }
        _ => Ok(()),
    });
    kit.write("a.md", "quiet");
    kit.sync();
    assert_eq!(kit.files(), ["a.md: QUIET"]);
    kit.write("a.md", "quiet again");
    kit.sync();
    assert_eq!(kit.files(), ["a.md: QUIET AGAIN"]);
    fs::remove_file(kit.at("a.md")).unwrap();
    kit.sync();
    assert_eq!(kit.files(), ["a.md: QUIET AGAIN"], "its row is still there");
    fs::rename(kit.at("a.md"), kit.at("b.md")).unwrap();
    kit.sync();
    assert_eq!(kit.files(), ["a.md: QUIET AGAIN"], "its row says where it is");
    assert_eq!(kit.head(), 2);
}

#[test]
fn a_file_that_is_written_slowly_arrives_whole() {
    let kit = Kit::new();
    let mut file = fs::File::create(kit.at("slow.md")).unwrap();
    let mut whole = String::new();
    for n in 0..200 {
        let line = format!("line {n}\n");
        whole.push_str(&line);
        file.write_all(line.as_bytes()).unwrap();
        if n % 50 == 0 {
            // It is looked at in between.
            kit.sync();
        }
    }
    drop(file);
    kit.sync();
    let note = kit.store.query(Note::all().one()).unwrap();
    assert_eq!(note.text, whole);
    assert_eq!(kit.files().len(), 1, "nothing is kept beside: {:?}", kit.log());
}

#[test]
fn the_app_may_commit_what_it_likes() {
    let mut kit = Kit::closed();
    kit.open_with(|store, edit| {
        if let Edit::Created { key, path: "inbox", text } = *edit {
            for (n, line) in text.lines().enumerate() {
                store.commit(written(&format!("{key}-{n}"), line, line))?;
            }
            return Ok(());
        }
        commit(store, edit)
    });
    kit.write("inbox.md", "one\ntwo");
    kit.sync();
    kit.sync();
    assert_eq!(kit.files(), ["inbox.md: one\ntwo", "one.md: one", "two.md: two"]);
    assert_eq!(kit.log().len(), 1, "it is asked once");
}
