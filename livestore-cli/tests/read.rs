//! What the command shows of a store, and that it changes nothing.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test")]

mod support;

use std::fs;
use std::io::Read;
use std::process::Stdio;

use livestore_testing::sample::todos::TodoEvent;
use support::{Data, created};

#[test]
fn info_shows_every_store_of_a_directory() {
    let data = Data::new().with_store("todos", 3).with_store("Notes", 0);
    // Whether the app has made one depends on how long that took.
    let _ = fs::remove_file(data.file("todos/state.snapshot"));
    let mut session = data.session("info");
    session.run(&["info"]);
    session.run(&["info", "--json", ".", "todos"]);
    session.run(&["info", "notes~1"]);
    session.done();
}

#[test]
fn events_are_shown_and_selected() {
    let data = Data::new().with_store("todos", 30);
    data.open("todos").commit(TodoEvent::Completed { id: "todo-7".into() }).unwrap();
    let mut session = data.session("events");
    session.run(&["events", "--first", "2"]);
    session.run(&["events", "--after", "29"]);
    session.run(&["events", "--name", "v1.TodoCompleted", "--json"]);
    session.run(&["events", "--after", "e10", "--to", "e20", "--contains", "number 15"]);
    session.run(&["events", "--last", "1", "--color", "always"]);
    session.run(&["events", "--only", "pending"]);
    session.run(&["events", "--client", "phone"]);
    session.run(&["events", "--after", "x"]);
    session.done();
}

#[test]
fn the_state_is_the_one_of_the_snapshot() {
    let data = Data::new().with_store("todos", 12_000);
    data.open("todos").commit(created(12_001)).unwrap();
    let mut session = data.session("state");
    session.run(&["state"]);
    let query = "SELECT id, completed, created_at, NULL AS x, x'0aff' AS x FROM todo LIMIT 2";
    session.run(&["state", "-q", query]);
    session.run(&["state", "-q", query, "--json"]);
    session.run(&["state", "-q", "SELECT * FROM todo WHERE id = 'x'", "--explain"]);
    session.run(&["state", "--quarantined"]);
    session.run(&["state", "--at", "e12000", "-q", "SELECT count(*) FROM todo"]);
    session.run(&["state", "--at", "e5"]);
    session.run(&["state", "-q", "DELETE FROM todo"]);
    session.run(&["state", "-q", "SELECT 1; SELECT 2"]);
    session.run(&["state", "-q", "ATTACH 'x.db' AS x"]);
    let endless =
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n";
    session.run(&["state", "-q", endless, "--timeout", "0.2"]);
    session.done();
}

#[test]
fn without_a_snapshot_there_is_no_state() {
    let data = Data::new().with_store("todos", 3);
    // Whether the app has made one depends on how long that took.
    let _ = fs::remove_file(data.file("todos/state.snapshot"));
    let mut session = data.session("state-without-snapshot");
    session.run(&["state"]);
    session.done();
}

#[test]
fn what_is_not_there_is_said() {
    let data = Data::new();
    let mut session = data.session("nothing");
    session.run(&["info"]);
    session.run(&["info", "none"]);
    session.run(&["info", "none", "--json"]);
    session.done();
    let data = data.with_store("a", 1).with_store("b", 1);
    let mut session = data.session("which-store");
    session.run(&["events"]);
    session.run(&["events", ".", "c"]);
    session.run(&["events", "a", "b"]);
    session.run(&["events", ".", "a"]);
    session.run(&["events", "a", "a"]);
    session.done();
}

#[test]
fn an_export_has_all_that_the_log_has() {
    let data = Data::new().with_store("todos", 2);
    let mut session = data.session("export");
    session.run(&["export"]);
    session.run(&["export", "--format", "livestore"]);
    session.run(&["export", "-o", "todos.jsonl"]);
    assert_eq!(fs::read_to_string(data.file("todos.jsonl")).unwrap().lines().count(), 2);
    session.run(&["export", "-o", "todos.jsonl"]);
    assert!(!data.file("todos.jsonl.partial").exists());
    session.done();
}

#[test]
fn a_log_that_is_damaged_is_found() {
    let data = Data::new().with_store("todos", 12_000);
    let mut session = data.session("verify");
    session.run(&["verify"]).run(&["verify", "--json"]);
    let snapshot = data.file("todos/state.snapshot");
    let mut bytes = fs::read(&snapshot).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&snapshot, bytes).unwrap();
    session.run(&["verify"]);
    let log = rusqlite::Connection::open(data.file("todos/eventlog.db")).unwrap();
    log.execute("UPDATE eventlog SET args = '{}' WHERE seq_global = 7", []).unwrap();
    drop(log);
    session.run(&["verify"]);
    // What comes before is shown.
    session.run(&["events"]).done();
}

/// While an app has the store open, the command sees what it commits.
#[test]
fn new_events_are_followed() {
    let data = Data::new().with_store("todos", 2);
    let store = data.open("todos");
    let mut follow = data
        .command()
        .args(["events", "--follow", "--after", "1"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = follow.stdout.take().unwrap();
    let mut read = |until: &str| {
        let mut text = String::new();
        let mut byte = [0];
        while !text.ends_with(until) {
            out.read_exact(&mut byte).unwrap();
            text.push(char::from(byte[0]));
        }
        text
    };
    assert!(read("\n").starts_with("e2 v1.TodoCreated"));
    for n in 3..6 {
        store.commit(created(n)).unwrap();
        assert!(read("\n").starts_with(&format!("e{n} v1.TodoCreated")));
    }
    follow.kill().unwrap();
    follow.wait().unwrap();
    let (_, out, _) = data.run(&["info", "--json"]);
    assert!(out.contains("\"isOpen\":true"), "{out}");
}

#[test]
fn a_pipe_that_closes_is_no_failure() {
    let data = Data::new().with_store("todos", 12_000);
    for args in [&["events"][..], &["export"], &["state", "-q", "SELECT * FROM todo"], &["--help"]]
    {
        let mut child = data
            .command()
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut byte = [0];
        let mut out = child.stdout.take().unwrap();
        out.read_exact(&mut byte).unwrap();
        drop(out);
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "{args:?}: {:?}", done.status);
        assert_eq!(String::from_utf8(done.stderr).unwrap(), "", "{args:?}");
    }
}

/// The files of a store, and the bytes that they have.
fn files_of(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let mut files: Vec<_> = entries
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn looking_changes_nothing() {
    let data = Data::new().with_store("todos", 12_000);
    let before = files_of(&data.file("todos"));
    for args in [&["info"][..], &["events"], &["state"], &["export"], &["verify"]] {
        assert_eq!(data.run(args).0, 0);
    }
    assert!(files_of(&data.file("todos")) == before);
}

#[cfg(unix)]
#[test]
fn a_directory_without_permission_is_said_to_be_one() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65_534;
    let data = Data::new().with_store("todos", 1);
    let forbid = |mode| fs::set_permissions(data.path(), fs::Permissions::from_mode(mode)).unwrap();
    forbid(0o000);
    let is_root = fs::read_dir(data.path()).is_ok();
    let run = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_livestore"));
        command.args(args).current_dir("/");
        if is_root {
            // It may read everything, so somebody else looks.
            command.uid(NOBODY).gid(NOBODY);
        }
        command.output()
    };
    let path = data.path().to_str().unwrap();
    let inside = data.file("todos");
    let (inside, output) = (inside.to_str().unwrap(), data.file("out.jsonl"));
    for args in [
        &["info", path][..],
        &["events", inside],
        &["devtools", inside],
        &["export", inside, "-o", output.to_str().unwrap()],
    ] {
        let Ok(done) = run(args) else {
            eprintln!("skipped: another user cannot run the command where it is");
            break;
        };
        let message = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(1), "{args:?}: {message}");
        assert!(message.contains("Permission denied"), "{args:?}: {message}");
    }
    forbid(0o700);
}
