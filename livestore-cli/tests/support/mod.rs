//! Stores that an app has written, and the command that looks at them.

#![allow(dead_code, reason = "each test needs some of it")]

use std::path::{Path, PathBuf};
use std::process::Command;

use livestore::prelude::*;
use livestore_testing::sample::todos::{App, TodoEvent};
use snapbox::{Data as Expected, IntoData};

/// A directory of stores, which is removed at the end.
pub(crate) struct Data(tempfile::TempDir);

impl Data {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Opens the store as an app does.
    pub(crate) fn open(&self, id: &str) -> Store<App> {
        Store::<App>::builder(id).directory(self.path()).client_id("laptop").open().unwrap()
    }

    /// A store with `count` events that nobody has open.
    pub(crate) fn with_store(self, id: &str, count: u64) -> Self {
        let store = self.open(id);
        let events: Vec<_> = (1..=count).map(created).collect();
        for events in events.chunks(1_000) {
            store.commit(events).unwrap();
        }
        self
    }

    /// A session with the command in this directory, to be compared with the snapshot of this name.
    pub(crate) fn session(&self, name: &'static str) -> Session<'_> {
        Session { data: self, name, text: String::new() }
    }

    /// The command, in this directory.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_livestore"));
        command.current_dir(self.path()).env_remove("NO_COLOR").env("COLUMNS", "100");
        command
    }

    /// Runs the command; returns its exit code, and what it writes.
    pub(crate) fn run(&self, args: &[&str]) -> (i32, String, String) {
        let done = self.command().args(args).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
    }
}

/// Commands with their output, as one would see them on a terminal.
pub(crate) struct Session<'a> {
    data: &'a Data,
    name: &'static str,
    text: String,
}

impl Session<'_> {
    pub(crate) fn run(&mut self, args: &[&str]) -> &mut Self {
        let (code, out, err) = self.data.run(args);
        let shown: Vec<_> = args.iter().map(|arg| quoted(arg)).collect();
        self.text += &format!("$ livestore {}\n{out}{err}", shown.join(" "));
        if code != 0 {
            self.text += &format!("? {code}\n");
        }
        self.text += "\n";
        self
    }

    /// Compares all of it. `SNAPSHOTS=overwrite` writes it instead.
    pub(crate) fn done(&mut self) {
        let directory = self.data.path().canonicalize().unwrap();
        let text = self.text.replace(&*directory.to_string_lossy(), "[DIR]");
        let text = text.replace(&*self.data.path().to_string_lossy(), "[DIR]");
        let text = text.replace(self.data.path().file_name().unwrap().to_str().unwrap(), "[NAME]");
        let text = without_ids(&text);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sessions");
        let expected = Expected::read_from(&folder.join(format!("{}.txt", self.name)), None);
        snapbox::Assert::new()
            .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
            .eq(text.raw(), expected);
    }
}

fn quoted(arg: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./~=".contains(c);
    match arg {
        "" => "''".to_owned(),
        arg if arg.chars().all(is_plain) => arg.to_owned(),
        arg if arg.contains('\'') => format!("\"{arg}\""),
        arg => format!("'{arg}'"),
    }
}

/// What is different each time stands as `[ID]`.
fn without_ids(text: &str) -> String {
    const LENGTH: usize = 21;
    let mut shown = String::new();
    let mut rest = text;
    let begins = ["static~", "\"historyId\":\"", "\"clientId\":\"", "client     "];
    let varies = ["\"exportedAt\":\"", "\"schemaHash\":"];
    loop {
        let found =
            begins.iter().chain(&varies).filter_map(|begin| Some((rest.find(begin)?, *begin)));
        let Some((at, begin)) = found.min() else { return shown + rest };
        let (before, behind) = rest.split_at(at + begin.len());
        shown += before;
        let is_id = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let length = match begins.contains(&begin) {
            true => behind.find(|c| !is_id(c)).filter(|length| *length == LENGTH),
            false => behind.find(['"', ',', '}']),
        };
        match length {
            Some(length) => {
                shown += "[ID]";
                rest = &behind[length..];
            }
            None => rest = behind,
        }
    }
}

/// The `n`th event.
pub(crate) fn created(n: u64) -> TodoEvent {
    let created_at = format!("2026-01-01T00:00:{:02}.000Z", n % 60).parse().unwrap();
    TodoEvent::Created { id: format!("todo-{n}"), text: format!("number {n}"), created_at }
}
