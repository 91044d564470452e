//! Child processes: the test binary runs itself again in one of these roles.

use std::env;
use std::io::{BufRead, BufReader, Lines, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use livestore::prelude::*;

use crate::app::{App, TodoEvent, counted, created};
use crate::kit::STORE;

const ROLE: &str = "LIVESTORE_TEST_ROLE";
const DIRECTORY: &str = "LIVESTORE_TEST_DIRECTORY";

/// Events per commit: after a crash, the log ends after a whole number of them.
pub const BATCH: u64 = 3;

/// After how many commits the buffered writer flushes.
const FLUSH_EVERY: u64 = 10;

#[derive(Debug, Clone, Copy)]
pub enum Role {
    /// Opens the store, and says how that went.
    Open,
    /// Opens the store and keeps it until its input ends.
    Hold,
    /// Commits for as long as it lives.
    Commit(Durability),
    /// Opens, commits and closes, over and over.
    Reopen,
    /// Commits small events that make a large state, so that snapshots are made all the time.
    Pad,
    /// Commits until it is refused, a few times, and closes.
    Fill(Durability),
    /// Makes a large state of few events, and closes.
    Swell,
    /// Commits todos of its own and flushes them, until its input ends.
    Share,
    /// Opens one store after the other until that is refused, and says what is left of it.
    OpenMany,
}

const ROLES: [Role; 12] = [
    Role::Share,
    Role::OpenMany,
    Role::Open,
    Role::Hold,
    Role::Commit(Durability::Buffered),
    Role::Commit(Durability::Written),
    Role::Commit(Durability::Synced),
    Role::Reopen,
    Role::Pad,
    Role::Fill(Durability::Buffered),
    Role::Fill(Durability::Written),
    Role::Swell,
];

/// This binary, about to play `role` over the store in `directory`.
pub fn command(role: Role, directory: &Path) -> Command {
    prepare(Command::new(env::current_exe().unwrap()), role, directory)
}

/// The same, where no file can grow beyond `kilobytes`.
pub fn command_on_full_disk(role: Role, directory: &Path, kilobytes: u64) -> Command {
    let mut shell = Command::new("sh");
    // `ulimit` counts in blocks of 512 bytes.
    shell.args(["-c", r#"trap "" XFSZ; ulimit -f "$0"; exec "$@""#, &(2 * kilobytes).to_string()]);
    shell.arg(env::current_exe().unwrap());
    prepare(shell, role, directory)
}

/// The same, where no more than `files` may be open at once.
pub fn command_with_few_files(role: Role, directory: &Path, files: u64) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"ulimit -n "$0"; exec "$@""#, &files.to_string()]);
    shell.arg(env::current_exe().unwrap());
    prepare(shell, role, directory)
}

fn prepare(mut command: Command, role: Role, directory: &Path) -> Command {
    command
        .args(["--exact", "child::process", "--nocapture"])
        .env(ROLE, format!("{role:?}"))
        .env(DIRECTORY, directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// A child that runs; killed if the test forgets it.
pub struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Reads until a line that starts with `word`, and returns its rest.
    #[track_caller]
    pub fn wait_for(&mut self, word: &str) -> String {
        self.find(word).unwrap_or_else(|| panic!("the child never said \"{word}\""))
    }

    /// The same for a child that may end before.
    pub fn find(&mut self, word: &str) -> Option<String> {
        self.lines.by_ref().map_while(Result::ok).find_map(|line| rest_of(&line, word))
    }

    /// Kills the child, as a crash would, and returns all that it had still said.
    pub fn kill(mut self) -> Vec<String> {
        use std::os::unix::process::ExitStatusExt;
        self.child.kill().unwrap();
        let said = self.lines.by_ref().map_while(Result::ok).collect();
        let status = self.child.wait().unwrap();
        assert_eq!(status.signal(), Some(9), "the child ended by itself: {said:?}");
        said
    }

    /// Sends the child a signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Lets the child end, and returns all that it had still said.
    pub fn finish(mut self) -> Vec<String> {
        drop(self.child.stdin.take());
        let said = self.lines.by_ref().map_while(Result::ok).collect();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {said:?}");
        said
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the rest of a line that begins with `word`.
pub fn rest_of(line: &str, word: &str) -> Option<String> {
    Some(line.strip_prefix(word)?.trim().to_owned())
}

/// The last number that was said after `word`.
pub fn last_of(said: &[String], word: &str) -> Option<u64> {
    said.iter().rev().find_map(|line| rest_of(line, word)).map(|rest| rest.parse().unwrap())
}

/// Not a test of its own: what the child processes run.
#[test]
fn process() {
    let Ok(name) = env::var(ROLE) else { return };
    let role = ROLES.into_iter().find(|role| format!("{role:?}") == name).unwrap();
    let directory = env::var_os(DIRECTORY).unwrap();
    play(role, Path::new(&directory));
}

fn play(role: Role, directory: &Path) {
    println!();
    let builder = || Store::<App>::builder(STORE).directory(directory);
    let open = |durability| builder().durability(durability).open();
    match role {
        Role::Open => match open(Durability::Written) {
            Ok(store) => println!("opened {}", store.head().unwrap()),
            Err(error) => println!("refused {error:?}"),
        },
        Role::Hold => {
            let store = open(Durability::Written).unwrap();
            println!("opened {}", store.head().unwrap());
            std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        }
        Role::Commit(durability) => commit_forever(&open(durability).unwrap()),
        Role::Reopen => loop {
            let store = open(Durability::Written).unwrap();
            let first = store.head().unwrap().global + 1;
            let last = first + 100 * BATCH;
            store.commit((first..last).map(|n| padded(n, 1_000)).collect::<Vec<_>>()).unwrap();
            println!("ack {}", last - 1);
            store.close().unwrap();
        },
        Role::Pad => {
            let store = open(Durability::Written).unwrap();
            loop {
                let first = store.head().unwrap().global + 1;
                let last = first + 500 * BATCH;
                let event =
                    |n| if n % 10 == 0 { padded(n % 5_000, 10_000) } else { counted("n", 1) };
                let batch: Vec<_> = (first..last).map(event).collect();
                store.commit(batch).unwrap();
                println!("ack {}", last - 1);
            }
        }
        Role::Fill(durability) => fill(open(durability).unwrap()),
        Role::Share => crate::session_processes::share(&open(Durability::Written).unwrap()),
        Role::OpenMany => crate::open_files::open_many(directory),
        Role::Swell => {
            let store = open(Durability::Written).unwrap();
            let first = store.head().unwrap().global + 1;
            let batch: Vec<_> = (first..first + 600).map(|n| padded(n, 500)).collect();
            println!("ack {}", store.commit(batch).unwrap().last().unwrap().global);
            println!("closed {:?}", store.close());
        }
    }
}

fn padded(id: u64, bytes: usize) -> TodoEvent {
    TodoEvent::Padded { id: id.to_string(), bytes }
}

/// The `BATCH` events whose first is number `first`: a log can be checked against it.
pub fn batch(first: u64) -> Vec<TodoEvent> {
    let mut events: Vec<_> = (first..first + BATCH - 1).map(created).collect();
    events.push(counted("batches", 1));
    events
}

fn commit_forever(store: &Store<App>) {
    let mut first = store.head().unwrap().global + 1;
    for n in 1.. {
        let committed = store.commit(batch(first)).unwrap();
        let last = committed.last().unwrap().global;
        println!("ack {last}");
        if n % FLUSH_EVERY == 0 {
            store.flush().unwrap();
            println!("flushed {last}");
        }
        first = last + 1;
    }
}

fn fill(store: Store<App>) {
    let mut refusals = 0;
    while refusals < 5 {
        let first = store.head().unwrap().global + 1;
        let hash = store.state_hash().unwrap();
        match store.commit(batch(first)) {
            Ok(committed) => println!("ack {}", committed.last().unwrap().global),
            Err(error) => {
                refusals += 1;
                println!("refused {error:?}");
                assert_eq!(store.head().unwrap().global + 1, first);
                assert_eq!(store.state_hash().unwrap(), hash);
            }
        }
    }
    println!("closed {:?}", store.close());
}
