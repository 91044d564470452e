//! A file and its row have both changed.

use std::fs;

use crate::kit::{Kit, deleted, written};

/// The one file that is kept beside others.
fn kept(kit: &Kit) -> String {
    let kept: Vec<_> = kit.files().into_iter().filter(|file| file.contains(".conflict-")).collect();
    assert_eq!(kept.len(), 1, "{:?}", kit.files());
    kept[0].clone()
}

#[test]
fn the_row_has_the_file_and_the_text_is_kept_beside() {
    let mut kit = Kit::new();
    kit.commit(written("1", "a/Milk", "2 litres"));
    kit.sync();
    kit.close();
    kit.write("a/Milk.md", "of the user");
    kit.commit(written("1", "a/Milk", "of the row"));
    kit.open();
    kit.sync();
    let kept = kept(&kit);
    assert!(kept.starts_with("a/Milk.conflict-") && kept.ends_with(".md: of the user"), "{kept}");
    assert!(kit.files().contains(&"a/Milk.md: of the row".to_owned()));
    assert_eq!((kit.rows(), kit.log()), (vec!["1 a/Milk: of the row".to_owned()], vec![]));

    // It is nobody's row, and stays until the user has looked at it.
    kit.write("a/Milk.md", "merged");
    kit.sync();
    kit.open();
    kit.sync();
    assert_eq!(kit.rows(), ["1 a/Milk: merged"]);
    assert_eq!(kit.files().len(), 2);
}

#[test]
fn a_text_that_both_have_is_no_conflict() {
    let mut kit = Kit::new();
    kit.commit(written("1", "Milk", "2 litres"));
    kit.sync();
    kit.close();
    kit.write("Milk.md", "the same");
    kit.commit(written("1", "Milk", "the same"));
    kit.open();
    kit.sync();
    assert_eq!((kit.files(), kit.log()), (vec!["Milk.md: the same".to_owned()], vec![]));
}

#[test]
fn the_text_of_a_row_that_is_gone_is_kept() {
    let mut kit = Kit::new();
    kit.commit(written("1", "Milk", "2 litres"));
    kit.sync();
    kit.close();
    kit.write("Milk.md", "of the user");
    kit.commit(deleted("1"));
    kit.open();
    kit.sync();
    assert!(kept(&kit).ends_with("of the user"));
    assert_eq!((kit.files().len(), kit.rows().len()), (1, 0));
}

#[test]
fn a_file_that_is_removed_while_its_row_changes_comes_back() {
    let mut kit = Kit::new();
    kit.commit(written("1", "Milk", "2 litres"));
    kit.sync();
    kit.close();
    fs::remove_file(kit.at("Milk.md")).unwrap();
    kit.commit(written("1", "Milk", "3 litres"));
    kit.open();
    kit.sync();
    assert_eq!(kit.files(), ["Milk.md: 3 litres"]);
    assert_eq!(kit.log(), [""; 0]);
}

#[test]
fn a_rejected_edit_stays_until_its_row_changes() {
    let kit = Kit::new();
    kit.commit(written("1", "Milk", "2 litres"));
    kit.sync();
    kit.write("Milk.md", "broken");
    kit.sync();
    assert_eq!(
        kit.folder().problems(),
        ["an edit of Milk.md is not committed: the text is broken"]
    );
    assert_eq!(kit.files(), ["Milk.md: broken"]);
    kit.commit(written("1", "Milk", "3 litres"));
    kit.sync();
    assert!(kept(&kit).ends_with("broken"));
    assert!(kit.files().contains(&"Milk.md: 3 litres".to_owned()));
    assert!(kit.folder().problems().is_empty(), "{:?}", kit.folder().problems());
}

#[test]
fn a_rejected_edit_is_passed_again_when_it_is_mended() {
    let kit = Kit::new();
    kit.write("new.md", "broken");
    kit.sync();
    assert_eq!(kit.folder().problems().len(), 1);
    kit.write("new.md", "whole");
    kit.sync();
    assert!(kit.folder().problems().is_empty());
    assert_eq!(kit.rows().len(), 1);
    assert_eq!(kit.files(), ["new.md: whole"]);
}

#[test]
fn a_file_that_moves_while_it_is_edited_leaves_the_edit_behind() {
    let mut kit = Kit::new();
    kit.commit(written("1", "Milk", "2 litres"));
    kit.sync();
    kit.close();
    kit.write("Milk.md", "of the user");
    kit.commit(written("1", "Food/Milk", "3 litres"));
    kit.open();
    kit.sync();
    let kept = kept(&kit);
    assert!(kept.starts_with("Milk.conflict-") && kept.ends_with("of the user"), "{kept}");
    assert!(kit.files().contains(&"Food/Milk.md: 3 litres".to_owned()));
}

#[test]
fn a_file_of_somebody_else_keeps_its_path() {
    let mut kit = Kit::closed();
    kit.write("Milk.md", "of the user");
    kit.commit(written("1", "Milk", "2 litres"));
    kit.open();
    kit.sync();
    let files = kit.files();
    assert_eq!(files.len(), 2, "{files:?}");
    assert!(files.contains(&"Milk.md: of the user".to_owned()), "{files:?}");
    assert_eq!(kit.rows().len(), 2);
}
