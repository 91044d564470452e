//! What disks, users and rows can do wrong.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use livestore::prelude::*;
use livestore_files::{Folder, IndexError, OpenError, SyncError};
use livestore_testing::wait_until;

use crate::kit::{App, Kit, PATIENCE, commit, deleted, written};

#[test]
fn rows_whose_names_no_file_system_takes_have_files() {
    let kit = Kit::new();
    let long = "x".repeat(300);
    let paths = [
        "../../escaped",
        "/etc/passwd",
        "a\0b",
        "CON",
        "nul.txt",
        "",
        ".",
        "..",
        ".hidden",
        "a:b?",
        "end. ",
        &long,
        "x.md/inside",
        "x",
        "new\nline",
    ];
    for (n, path) in paths.iter().enumerate() {
        kit.commit(written(&n.to_string(), path, path));
    }
    kit.sync();
    assert!(kit.folder().problems().is_empty(), "{:?}", kit.folder().problems());
    let files = kit.files();
    assert_eq!(files.len(), paths.len(), "{files:?}");
    for path in paths {
        assert!(
            files.iter().any(|file| file.ends_with(&format!(".md: {path}"))),
            "{path:?}: {files:?}"
        );
    }
    let outside: Vec<_> = fs::read_dir(kit.root().parent().unwrap()).unwrap().collect();
    assert_eq!(outside.len(), 2, "the notes and the data, and nothing else: {outside:?}");
    // They can be edited, and go.
    kit.write("CON_.md", "edited");
    kit.sync();
    assert_eq!(kit.log(), ["~3 CON_: edited"]);
    (0..15).for_each(|n| kit.commit(deleted(&n.to_string())));
    kit.sync();
    assert_eq!(kit.files(), [""; 0]);
}

#[test]
fn rows_with_one_path_have_a_file_each() {
    let kit = Kit::new();
    // The last two are the same to some file systems.
    for (id, path) in [("1", "Milk"), ("2", "Milk"), ("3", "milk"), ("4", "MILK")] {
        kit.commit(written(id, path, id));
    }
    kit.commit(written("5", "\u{e4}", "5"));
    kit.commit(written("6", "a\u{308}", "6"));
    kit.sync();
    let files = kit.files();
    assert_eq!(files.len(), 6, "{files:?}");
    assert!(files.contains(&"Milk.md: 1".to_owned()), "{files:?}");
    let mut folded: Vec<_> = files.iter().map(|file| file.to_lowercase()).collect();
    folded.dedup();
    assert_eq!(folded.len(), 6);
    // Each is its row's.
    let of_2 = files.iter().find(|file| file.ends_with(": 2")).unwrap();
    kit.write(of_2.split(": ").next().unwrap(), "two");
    kit.sync();
    assert!(kit.rows()[1].ends_with(": two"), "{:?}", kit.rows());
    kit.commit(deleted("1"));
    kit.sync();
    assert!(!kit.at("Milk.md").exists());
    assert_eq!(kit.files().len(), 5);
}

#[test]
fn what_cannot_be_read_is_listed_and_left_alone() {
    let kit = Kit::new();
    kit.commit(written("1", "Milk", "2 litres"));
    kit.sync();
    kit.write("latin.md", b"caf\xe9");
    kit.write("Milk.md", b"caf\xe9");
    kit.write("large.md", vec![b'x'; (1 << 20) + 1]);
    kit.sync();
    let problems = kit.folder().problems();
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert_eq!((kit.log(), kit.rows()), (vec![], vec!["1 Milk: 2 litres".to_owned()]));
    assert_eq!(fs::read(kit.at("Milk.md")).unwrap(), b"caf\xe9");
    kit.commit(written("1", "Milk", "3 litres"));
    fs::remove_file(kit.at("latin.md")).unwrap();
    fs::remove_file(kit.at("large.md")).unwrap();
    kit.sync();
    assert!(kit.folder().problems().is_empty(), "{:?}", kit.folder().problems());
    assert_eq!(kit.files().len(), 2, "what was in Milk.md is kept beside it");
}

#[cfg(unix)]
#[test]
fn symbolic_links_are_not_followed() {
    use std::os::unix::fs::symlink;
    let mut kit = Kit::closed();
    let outside = kit.root().parent().unwrap().join("outside");
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join("secret.md"), "secret").unwrap();
    fs::create_dir_all(kit.root()).unwrap();
    symlink(outside.join("secret.md"), kit.at("linked.md")).unwrap();
    symlink(&outside, kit.at("folder")).unwrap();
    kit.open();
    kit.commit(written("1", "linked", "of the row"));
    kit.commit(written("2", "folder/secret", "of the row"));
    kit.commit(written("3", "fine", "of the row"));
    kit.sync();
    assert_eq!(kit.log(), [""; 0]);
    assert_eq!(fs::read_to_string(outside.join("secret.md")).unwrap(), "secret");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    assert!(kit.files().contains(&"fine.md: of the row".to_owned()), "{:?}", kit.files());
    assert!(!kit.folder().problems().is_empty());
    // A file that becomes a link is not written through.
    fs::remove_file(kit.at("fine.md")).unwrap();
    symlink(outside.join("secret.md"), kit.at("fine.md")).unwrap();
    kit.commit(written("3", "fine", "again"));
    kit.sync();
    assert_eq!(fs::read_to_string(outside.join("secret.md")).unwrap(), "secret");
    // Without the links, the rows have their files.
    fs::remove_file(kit.at("fine.md")).unwrap();
    fs::remove_file(kit.at("folder")).unwrap();
    kit.sync();
    assert!(kit.folder().problems().iter().all(|problem| problem.contains("linked.md")));
    assert!(kit.files().iter().filter(|file| !file.contains("secret.md: secret")).count() >= 3);
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_not_text_is_listed() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let kit = Kit::new();
    fs::write(kit.root().join(OsStr::from_bytes(b"caf\xe9.md")), "x").unwrap();
    kit.sync();
    assert_eq!(kit.folder().problems().len(), 1);
    assert_eq!(kit.log(), [""; 0]);
}

/// Removes the folder, although it may be made again meanwhile.
fn remove_folder(kit: &Kit) {
    wait_until(|| fs::remove_dir_all(kit.root()).is_ok());
}

#[test]
fn a_folder_that_is_removed_is_made_again_and_its_rows_stay() {
    let kit = Kit::new();
    for n in 0..20 {
        kit.commit(written(&n.to_string(), &format!("d/{n}"), "text"));
    }
    kit.sync();
    remove_folder(&kit);
    wait_until(|| kit.root().exists() && kit.files().len() == 20);
    kit.sync();
    // Somebody may have made an empty one in its place.
    remove_folder(&kit);
    let _ = fs::create_dir(kit.root());
    wait_until(|| kit.files().len() == 20);
    kit.sync();
    assert_eq!((kit.rows().len(), kit.log(), kit.head()), (20, vec![], 20));
    // It is watched, too.
    kit.write("d/1.md", "edited");
    wait_until(|| kit.rows()[1] == "1 d/1: edited");
}

#[test]
fn a_subfolder_that_is_removed_removes_its_rows() {
    let kit = Kit::new();
    for n in 0..5 {
        kit.commit(written(&n.to_string(), &format!("d{}/{n}", n % 2), "text"));
    }
    kit.sync();
    fs::remove_dir_all(kit.at("d0")).unwrap();
    kit.sync();
    assert_eq!(kit.rows(), ["1 d1/1: text", "3 d1/3: text"]);
}

/// A file system of this many bytes, until it is dropped.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn new(at: &Path, kilobytes: u32) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let options = format!("size={kilobytes}k");
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", &options, "none"]).arg(at).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(at.to_owned()))
    }

    fn grow(&self, kilobytes: u32) {
        let options = format!("remount,size={kilobytes}k");
        let status = Command::new("mount").args(["-o", &options]).arg(&self.0).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_reported_and_caught_up_with() {
    let mut kit = Kit::closed();
    let Some(disk) = SmallDisk::new(kit.root(), 512) else {
        eprintln!("skipped: only root can make a small disk");
        return;
    };
    kit.open();
    kit.commit(written("first", "first", "text"));
    kit.sync();
    for n in 0..40 {
        kit.commit(written(&n.to_string(), &n.to_string(), &"x".repeat(30_000)));
    }
    let full = kit.folder().sync(PATIENCE);
    let is_full = |reason: &str| reason.contains("space") || reason.contains("full");
    assert!(matches!(&full, Err(SyncError::Failed(reason)) if is_full(reason)), "{full:?}");
    // What is there is whole.
    for file in kit.files() {
        assert!(file.ends_with("first.md: text") || file.len() > 30_000, "{}", &file[..20]);
    }
    disk.grow(8_192);
    kit.sync();
    assert_eq!(kit.files().len(), 41);
    assert_eq!((kit.log(), kit.head()), (vec![], 41));
    kit.close();
    drop(disk);
}

#[test]
fn a_folder_has_one_user_and_one_store() {
    let mut kit = Kit::new();
    let again = Folder::open(kit.root(), &kit.store, kit.notes(commit));
    assert!(matches!(again, Err(OpenError::Index(IndexError::InUse { .. }))), "{again:?}");
    kit.close();
    let other = Store::<App>::builder("other").open().unwrap();
    let other = Folder::open(kit.root(), &other, kit.notes(commit));
    assert!(matches!(other, Err(OpenError::Index(IndexError::OtherStore { .. }))), "{other:?}");
    kit.open();
    kit.sync();
    fs::write(kit.root().parent().unwrap().join("file"), "").unwrap();
    let file =
        Folder::open(kit.root().parent().unwrap().join("file"), &kit.store, kit.notes(commit));
    assert!(matches!(file, Err(OpenError::Folder { .. })), "{file:?}");
}

#[test]
fn an_index_that_is_damaged_or_gone_costs_no_row_and_no_text() {
    let mut kit = Kit::new();
    kit.commit(written("1", "Milk", "2 litres"));
    kit.commit(written("2", "Bread", "id: 2\nrye"));
    kit.sync();
    for index in ["nonsense", ""] {
        kit.close();
        let file = kit.at(".livestore/files.db");
        fs::remove_dir_all(kit.at(".livestore")).unwrap();
        fs::create_dir_all(kit.at(".livestore")).unwrap();
        if !index.is_empty() {
            fs::write(file, index.repeat(1_000)).unwrap();
        }
        kit.open();
        kit.sync();
        assert_eq!((kit.log(), kit.head()), (vec![], 2));
        assert_eq!(kit.files(), ["Bread.md: id: 2\nrye", "Milk.md: 2 litres"]);
    }
    // Nothing distinguishes what was edited meanwhile from what the row was.
    kit.close();
    fs::remove_dir_all(kit.at(".livestore")).unwrap();
    kit.write("Bread.md", "id: 2\nof the user");
    kit.open();
    kit.sync();
    assert!(
        kit.files().iter().any(|file| file.contains("conflict") && file.ends_with("of the user"))
    );
    assert_eq!(kit.head(), 2);
}

#[test]
fn an_app_that_panics_is_a_problem_of_one_file() {
    let mut kit = Kit::closed();
    kit.open_with(|store, edit| match edit {
        livestore_files::Edit::Created { path: "a", .. } => panic!("no such luck"),
        _ => commit(store, edit),
    });
    kit.write("a.md", "x");
    kit.write("b.md", "x");
    kit.sync();
    assert_eq!(kit.folder().problems().len(), 1);
    assert_eq!(kit.rows().len(), 1);
}

#[test]
fn a_store_that_is_closed_ends_the_folder() {
    let kit = Kit::new();
    kit.sync();
    kit.store.clone().close().unwrap();
    wait_until(|| kit.folder().sync(Duration::from_millis(10)) == Err(SyncError::Closed));
}
