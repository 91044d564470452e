//! The commands, as a shell has them.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::Path;
#[cfg(feature = "devtools")]
use std::process::Stdio;
use std::process::{Command, Output};

use livestore::Store;
use serde_json::{Value, json};
use tempfile::{NamedTempFile, TempDir};

// Whoever opens a store holds it, whatever the schema.
livestore::schema! { Nothing {} }

fn todo(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_todo"));
    command.args(args).arg("--dir").arg(dir).output().unwrap()
}

/// Runs a command that must succeed, and returns its output.
fn stdout(dir: &Path, args: &[&str]) -> String {
    let output = todo(dir, args);
    assert!(output.status.success() && output.stderr.is_empty(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The one line that a command that fails says.
fn error(dir: &Path, args: &[&str]) -> String {
    let output = todo(dir, args);
    assert!(output.status.code() == Some(1) && output.stdout.is_empty(), "{args:?}: {output:?}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    stderr.trim_end().to_owned()
}

fn add(dir: &Path, text: &str) -> String {
    stdout(dir, &["add", text]).trim_end().to_owned()
}

fn json_lines(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn who_is_offline_is_told_so() {
    let temp = TempDir::new().unwrap();
    let dir = temp.path();
    let id = add(dir, "Buy milk");
    // Nobody listens there.
    let output = todo(dir, &["list", "--sync", "ws://127.0.0.1:1"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("[ ] Buy milk  {id}\n"));
    let warning = String::from_utf8(output.stderr).unwrap();
    assert!(warning.starts_with("this may be out of date, as of e0; offline: "), "{warning}");
    assert!(warning.trim_end().ends_with("1 to push"), "{warning}");
    let wrong = error(dir, &["list", "--sync", "127.0.0.1:8787"]);
    assert!(wrong.contains("has no scheme") && wrong.contains("ws://127.0.0.1:8787"), "{wrong}");
}

#[test]
fn add_done_list_log() {
    let temp = TempDir::new().unwrap();
    let dir = temp.path();
    assert_eq!(stdout(dir, &["list"]), "");
    let milk = add(dir, " Buy milk ");
    let tea = add(dir, "Make\ntea");
    assert_eq!(stdout(dir, &["done", &milk]), "");
    assert_eq!(stdout(dir, &["done", &milk]), "");

    let (done, open) = (format!("[x] Buy milk  {milk}\n"), format!("[ ] Make tea  {tea}\n"));
    assert_eq!(stdout(dir, &["list"]), format!("{done}{open}"));
    assert_eq!(stdout(dir, &["list", "--active"]), open);
    assert_eq!(stdout(dir, &["list", "--completed"]), done);
    assert_eq!(stdout(dir, &["list", "--store", "another"]), "");

    let log = stdout(dir, &["log"]);
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with(&format!(r#"e1 v1.TodoCreated {{"id":"{milk}""#)), "{log}");
    assert_eq!(lines[2], format!(r#"e3 v1.TodoCompleted {{"id":"{milk}"}}"#));
}

#[test]
fn undo_and_redo_reach_back_to_earlier_runs() {
    let temp = TempDir::new().unwrap();
    let dir = temp.path();
    assert_eq!(error(dir, &["undo"]), "error: there is nothing to undo");
    let milk = add(dir, "Buy milk");
    stdout(dir, &["done", &milk]);
    let (done, open) = (format!("[x] Buy milk  {milk}\n"), format!("[ ] Buy milk  {milk}\n"));
    assert_eq!(stdout(dir, &["undo"]), "");
    assert_eq!(stdout(dir, &["list"]), open);
    stdout(dir, &["undo"]);
    assert_eq!(stdout(dir, &["list"]), "");
    stdout(dir, &["redo"]);
    stdout(dir, &["redo"]);
    assert_eq!(stdout(dir, &["list"]), done);
    assert_eq!(error(dir, &["redo"]), "error: there is nothing to redo");
}

#[test]
fn json_is_one_object_a_line() {
    let temp = TempDir::new().unwrap();
    let dir = temp.path();
    let text = "\"Quotes\"\nand ünïcödé";
    let id = add(dir, text);
    let todos = json_lines(&stdout(dir, &["list", "--json"]));
    let [todo] = todos.as_slice() else { panic!("{todos:?}") };
    let created_at = &todo["createdAt"];
    assert!(created_at.is_string());
    assert_eq!(
        *todo,
        json!({ "id": id, "text": text, "completed": false, "createdAt": created_at })
    );
    assert_eq!(
        json_lines(&stdout(dir, &["log", "--json"])),
        [json!({
            "seqNum": "e1",
            "name": "v1.TodoCreated",
            "args": { "id": id, "text": text, "createdAt": created_at },
        })]
    );
}

#[test]
fn texts_and_ids_may_start_with_a_hyphen() {
    let temp = TempDir::new().unwrap();
    let id = add(temp.path(), "-h is for help");
    assert_eq!(stdout(temp.path(), &["list"]), format!("[ ] -h is for help  {id}\n"));
    let said = error(temp.path(), &["done", "-h26T198340PX75pxJACK"]);
    assert!(said.contains("-h26T198340PX75pxJACK"), "{said}");
}

#[test]
fn a_store_in_use_says_so() {
    let temp = TempDir::new().unwrap();
    let store = Store::<Nothing>::builder("todos").directory(temp.path()).open().unwrap();
    for args in [&["list"][..], &["log"], &["add", "Buy milk"], &["done", "x"]] {
        let said = error(temp.path(), args);
        assert!(said.starts_with("error: ") && said.contains("todos is in use"), "{said}");
    }
    store.close().unwrap();
    add(temp.path(), "Buy milk");
}

#[test]
fn what_cannot_be_done_is_one_line_of_error() {
    let temp = TempDir::new().unwrap();
    let dir = temp.path();
    assert_eq!(
        error(dir, &["done", "nope"]),
        "error: there is no todo \"nope\"; `todo list` shows the ids"
    );
    assert_eq!(error(dir, &["add", "  "]), "error: a todo needs a text");
    assert_eq!(stdout(dir, &["log"]), "");
    let said = error(dir, &["list", "--store", "../todos"]);
    assert!(said.contains("is not a store id"), "{said}");

    let file = NamedTempFile::new().unwrap();
    let said = error(file.path(), &["list"]);
    assert!(said.contains("cannot be used as the store's directory"), "{said}");
}

#[test]
fn without_a_terminal_there_is_no_screen() {
    let temp = TempDir::new().unwrap();
    let said = error(temp.path(), &[]);
    assert_eq!(said, "error: the screen needs a terminal; for scripts, see `todo --help`");
    assert!(!temp.path().join("todos").exists());
}

#[cfg(feature = "devtools")]
#[test]
fn devtools_print_their_url_and_are_there() {
    use std::io::{BufRead, BufReader, Read, Write};

    let dir = TempDir::new().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_todo"))
        .args(["--devtools", "--dir"])
        .arg(dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.split("http://").nth(1).and_then(|url| url.split('/').next()).unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains("<html"), "{page}");
}
