//! Two machines, as two processes with a folder each, and a server that comes and goes.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test of processes and files")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use livestore_server::auth::NoAuth;
use livestore_server::store::{Durability, SqliteStore, StoreLimits};
use livestore_server::{Limits, Server};
use livestore_testing::wait_until;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// A server, until it is dropped.
struct Backend {
    address: String,
    runtime: Option<Runtime>,
    stop: Option<oneshot::Sender<()>>,
}

impl Backend {
    fn start(data: &Path, address: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let events = SqliteStore::open(data, Durability::Written, StoreLimits::NONE).unwrap();
        let bind = Server::bind(address, Arc::new(events), Arc::new(NoAuth), Limits::default());
        let server = runtime.block_on(bind).unwrap();
        let address = server.local_addr().unwrap().to_string();
        let (stop, stopped) = oneshot::channel();
        runtime.spawn(server.serve(async { drop(stopped.await) }));
        Self { address, runtime: Some(runtime), stop: Some(stop) }
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(std::time::Duration::from_secs(10));
        }
    }
}

/// A machine, whose process is killed when it is dropped.
struct Machine {
    process: Child,
    folder: PathBuf,
}

impl Machine {
    fn start(home: &Path, url: &str) -> Self {
        let folder = home.join("notes");
        let mut command = Command::new(env!("CARGO_BIN_EXE_markdown-notes"));
        command.arg(&folder).arg("--data").arg(home.join("data")).args(["--sync", url]);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("is synced"), "{line}");
        Self { process, folder }
    }

    fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.folder.join(path).parent().unwrap()).unwrap();
        fs::write(self.folder.join(path), text).unwrap();
    }

    fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.folder.join(path)).ok()
    }

    /// Replaces the text below the front matter, as an editor does.
    fn edit(&self, path: &str, text: &str) {
        let file = self.read(path).unwrap();
        let (fields, _) = file.rsplit_once("---\n").unwrap();
        self.write(path, &format!("{fields}---\n\n{text}"));
    }

    /// The names of the files in the folder itself.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).unwrap().map(Result::unwrap);
        let files = entries.filter(|entry| entry.path().is_file());
        let names = files.map(|entry| entry.file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| !name.starts_with('.')).collect();
        names.sort();
        names
    }

    fn has(&self, path: &str, text: &str) -> bool {
        self.read(path).is_some_and(|file| file.ends_with(text))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn notes_are_edited_here_and_there_online_and_offline() {
    let temp = TempDir::new().unwrap();
    let home = |name: &str| temp.path().join(name);
    let server = Backend::start(&home("server"), "127.0.0.1:0");
    let (address, url) = (server.address.clone(), format!("ws://{}", server.address));
    let (alice, bob) = (Machine::start(&home("alice"), &url), Machine::start(&home("bob"), &url));

    // Made here, it appears there; edited there, it changes here.
    alice.write("Shopping.md", "milk\n");
    alice.write("Ideas/Boat.md", "---\ntags: [summer]\n---\n\nWith a sail.\n");
    wait_until(|| bob.has("Shopping.md", "milk\n") && bob.has("Ideas/Boat.md", "With a sail.\n"));
    assert!(bob.read("Ideas/Boat.md").unwrap().contains("summer"));
    bob.edit("Shopping.md", "milk\nbread\n");
    wait_until(|| alice.has("Shopping.md", "milk\nbread\n"));
    fs::rename(bob.folder.join("Shopping.md"), bob.folder.join("To buy.md")).unwrap();
    wait_until(|| alice.has("To buy.md", "bread\n") && alice.read("Shopping.md").is_none());
    fs::remove_file(alice.folder.join("Ideas/Boat.md")).unwrap();
    wait_until(|| bob.names() == ["To buy.md"]);

    // Offline, both edit one note, and each makes one.
    drop(server);
    alice.edit("To buy.md", "of alice\n");
    bob.edit("To buy.md", "of bob\n");
    alice.write("From alice.md", "a\n");
    bob.write("From bob.md", "b\n");
    // Each has its front matter once it is an event.
    wait_until(|| alice.has("From alice.md", "---\n\na\n") && bob.has("From bob.md", "---\n\nb\n"));
    // One of them is killed meanwhile.
    drop(alice);
    let alice = Machine::start(&home("alice"), &url);
    let server = Backend::start(&home("server"), &address);
    let is_whole = |machine: &Machine| machine.names().len() == 4;
    wait_until(|| is_whole(&alice) && is_whole(&bob));
    wait_until(|| alice.names() == bob.names());
    let names = alice.names();
    let beside = names.iter().find(|name| name.starts_with("To buy.conflict-")).unwrap();
    let texts = |machine: &Machine| [machine.read("To buy.md"), machine.read(beside)];
    wait_until(|| texts(&alice) == texts(&bob));
    let texts = texts(&alice).map(Option::unwrap);
    let has = |text: &str| texts.iter().filter(|file| file.ends_with(text)).count();
    assert_eq!((has("of alice\n"), has("of bob\n")), (1, 1), "{texts:?}");

    // Who has merged them removes the one beside.
    alice.edit("To buy.md", "of both\n");
    fs::remove_file(alice.folder.join(beside)).unwrap();
    wait_until(|| bob.has("To buy.md", "of both\n") && bob.names().len() == 3);

    // Broken front matter stays here, until it is mended.
    bob.write("From bob.md", "---\ntags: [\n---\n\nbroken\n");
    bob.write("Canary.md", "x\n");
    wait_until(|| alice.has("Canary.md", "x\n"));
    assert!(alice.has("From bob.md", "b\n") && bob.has("From bob.md", "broken\n"));
    bob.write("From bob.md", "---\ntags: []\n---\n\nmended\n");
    wait_until(|| alice.has("From bob.md", "mended\n"));
    drop(server);
}
