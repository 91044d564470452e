//! Several processes, and one that may not write.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use livestore::prelude::*;

use crate::app::{App, created};
use crate::child::{Role, Running, command};
use crate::kit::{Home, seqs};

/// The user with no rights.
const NOBODY: u32 = 65_534;

#[test]
fn a_directory_is_open_in_one_process_if_it_says_so() {
    let home = Home::new();
    let mut holder = Running::start(command(Role::Hold, home.path()));
    holder.wait_for("opened");
    let path = home.folder();
    let single = home.builder::<App>().single_process();
    assert_eq!(single.open().unwrap_err(), OpenError::Locked { path });
    holder.finish();

    let store = home.builder::<App>().single_process().open().unwrap();
    let refused = Running::start(command(Role::Open, home.path())).wait_for("refused");
    assert!(refused.starts_with("Locked"), "{refused}");
    drop(store);
    Running::start(command(Role::Open, home.path())).wait_for("opened");
}

#[test]
fn a_killed_process_leaves_the_directory_free() {
    let home = Home::new();
    let mut holder = Running::start(command(Role::Hold, home.path()));
    holder.wait_for("opened");
    holder.kill();
    home.open::<App>();
}

/// A process is started by copying this one, open files and all.
#[test]
fn a_process_that_is_being_started_does_not_keep_the_directory() {
    let home = Home::new();
    let me = fs::metadata(home.path()).unwrap().uid();
    let processes = thread::spawn(move || {
        for _ in 0..100 {
            // With a `uid`, the standard library forks; the copy has our files until it is `true`.
            Command::new("true").uid(me).status().unwrap();
        }
    });
    while !processes.is_finished() {
        home.open::<App>().close().unwrap();
    }
}

#[test]
fn a_directory_that_cannot_be_written_is_refused() {
    let home = Home::new();
    home.open::<App>().commit(created("a")).unwrap();
    let Some(refused) = open_as_nobody(&home) else { return };
    assert!(refused.starts_with("Directory"), "{refused}");
    assert_eq!(seqs(&home.open::<App>()), ["e1"]);
}

#[test]
fn a_directory_that_cannot_be_made_is_refused() {
    let home = Home::new();
    let Some(refused) = open_as_nobody(&home) else { return };
    assert!(refused.starts_with("Directory"), "{refused}");
    assert!(!home.folder().exists());
}

#[test]
fn an_eventlog_that_cannot_be_written_is_refused() {
    let home = Home::new();
    home.open::<App>().commit(created("a")).unwrap();
    let lock = home.folder().join("lock");
    fs::set_permissions(lock, Permissions::from_mode(0o666)).unwrap();
    let Some(refused) = open_as_nobody(&home) else { return };
    assert!(refused.starts_with("Eventlog(Io"), "{refused}");
    assert_eq!(seqs(&home.open::<App>()), ["e1"]);
}

/// Opens the store as a user who may not write there, and returns the refusal; `None` if there is
/// no way to become that user.
fn open_as_nobody(home: &Home) -> Option<String> {
    let as_nobody = |mut command: Command| {
        command.uid(NOBODY).gid(NOBODY);
        command
    };
    let mut probe = Command::new(std::env::current_exe().unwrap());
    probe.arg("--list").stdout(Stdio::null());
    if !as_nobody(probe).status().is_ok_and(|status| status.success()) {
        println!("skipped: this test cannot run itself as another user");
        return None;
    }
    let allow =
        |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    allow(home.path(), 0o555);
    if home.folder().exists() {
        allow(&home.folder(), 0o555);
        allow(&home.eventlog(), 0o444);
    }
    Some(Running::start(as_nobody(command(Role::Open, home.path()))).wait_for("refused"))
}
