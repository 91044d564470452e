//! Several processes with one store: the first to open it leads, the others are its sessions.
//!
//! Each bench starts this program again, in a [`Role`] of another process.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use livestore::live::Reactive;
use livestore::prelude::*;

use crate::Result;
use crate::app::{App, Created, Todo, TodoEvent};
use crate::commit::batches;
use crate::harness::{Measured, ROUNDS, compare, micros, quantile, time};
use crate::replay;

const ROLE: &str = "LIVESTORE_BENCH_ROLE";
const DIRECTORY: &str = "LIVESTORE_BENCH_DIRECTORY";

/// Events per round.
const EVENTS: u32 = 1_000;

/// How often something happens whose percentiles are wanted.
const TIMES: u64 = 2_000;

/// How often a leader is killed.
const KILLS: u64 = 31;

const PATIENCE: Duration = Duration::from_secs(30);

/// What another process does until its input ends.
#[derive(Clone, Copy)]
enum Role {
    /// It has the store open.
    Hold,
    /// It commits every few milliseconds, with the time of the commit as the text.
    Commit,
}

/// A commit in a session that follows another process, beside one in a store that leads.
pub(crate) fn commit() -> Result<Measured> {
    let (shared, single) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let _leader = Other::start(Role::Hold, shared.path())?;
    let (follower, leader) = (open(shared.path())?, open(single.path())?);
    let (mut ours_next, mut floor_next) = (batches(), batches());
    compare(
        ROUNDS,
        EVENTS,
        || one_by_one(&follower, ours_next()),
        || one_by_one(&leader, floor_next()),
    )
}

/// The leader writes what is sent to it while the next round is prepared, not while it is timed.
fn one_by_one(store: &Store<App>, events: Vec<Created>) -> Result<Duration> {
    let events: Vec<TodoEvent> = events.into_iter().map(Into::into).collect();
    let took = time(|| {
        for event in events {
            store.commit(event)?;
        }
        Ok(())
    })?;
    store.flush()?;
    Ok(took)
}

/// From a commit in one process to the callback in another, the median.
pub(crate) fn across() -> Result<Measured> {
    across_at(0.5)
}

/// The same, the 99th of a hundred.
pub(crate) fn across_p99() -> Result<Measured> {
    across_at(0.99)
}

/// Either of the two processes may lead; the slower way counts.
fn across_at(q: f64) -> Result<Measured> {
    let directory = tempfile::tempdir()?;
    let from_leader = {
        let other = Other::start(Role::Commit, directory.path())?;
        callback_times(&open(directory.path())?, other)?
    };
    let directory = tempfile::tempdir()?;
    let from_follower = {
        let store = open(directory.path())?;
        let other = Other::start(Role::Commit, directory.path())?;
        callback_times(&store, other)?
    };
    let [leader, follower] = [from_leader, from_follower].map(|took| micros(quantile(took, q)));
    let note = format!("from the leader {leader:.0} µs, to it {follower:.0} µs");
    Ok(Measured::alone(leader.max(follower)).note(note))
}

/// How long each commit of the other process took to arrive in a callback here.
fn callback_times(store: &Store<App>, other: Other) -> Result<Vec<Duration>> {
    let (sender, arrived) = channel();
    let last = store.live(Todo::all().order_by(Todo::CREATED_AT.desc()).limit(1))?;
    let _guard = last.subscribe(move |todos| {
        let at = nanos();
        if let Some(todo) = todos.first() {
            _ = sender.send((todo.text.clone(), at));
        }
    });
    // The first ones find cold caches, and a process that is still starting.
    let took = (0..TIMES + 100).map(|_| one_of(&arrived)).skip(100).collect();
    drop(other);
    took
}

fn one_of(arrived: &Receiver<(String, u64)>) -> Result<Duration> {
    let (committed, at) = arrived.recv_timeout(PATIENCE)?;
    Ok(Duration::from_nanos(at.saturating_sub(committed.parse()?)))
}

/// From the kill of the leader until another session has written a commit as the leader.
pub(crate) fn takeover() -> Result<Measured> {
    let mut took = Vec::new();
    for _ in 0..KILLS {
        let directory = tempfile::tempdir()?;
        let leader = Other::start(Role::Hold, directory.path())?;
        let store = open(directory.path())?;
        store.commit(TodoEvent::from(Created::nth(0)))?;
        store.flush()?;
        let start = Instant::now();
        leader.kill()?;
        store.commit(TodoEvent::from(Created::nth(1)))?;
        while let Err(error) = store.flush() {
            if start.elapsed() > PATIENCE {
                return Err(error.into());
            }
        }
        took.push(start.elapsed());
    }
    let slowest = took.iter().max().copied().unwrap_or_default();
    let note = format!("the slowest {:.0} ms", micros(slowest) / 1_000.0);
    Ok(Measured::alone(micros(quantile(took, 0.5))).note(note))
}

/// A second session over 100,000 rows, beside the first one of an equal store.
pub(crate) fn open_second() -> Result<Measured> {
    let (shared, single) = (tempfile::tempdir()?, tempfile::tempdir()?);
    replay::fill_ours(shared.path())?;
    replay::fill_ours(single.path())?;
    let _leader = Other::start(Role::Hold, shared.path())?;
    let opened = |directory: &Path| {
        time(|| {
            let store = open(directory)?;
            store.query(Todo::all().count())?;
            Ok(store)
        })
    };
    compare(ROUNDS, 1, || opened(shared.path()), || opened(single.path()))
}

fn open(directory: &Path) -> Result<Store<App>> {
    let builder = Store::<App>::builder("bench").directory(directory);
    Ok(builder.durability(Durability::Written).open()?)
}

fn nanos() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Another process, which ends when this is dropped.
struct Other(Child);

impl Other {
    /// Waits until it has opened the store.
    fn start(role: Role, directory: &Path) -> Result<Self> {
        let role = match role {
            Role::Hold => "hold",
            Role::Commit => "commit",
        };
        let mut command = Command::new(std::env::current_exe()?);
        command.env(ROLE, role).env(DIRECTORY, directory);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut other = Self(child);
        let output = other.0.stdout.take().ok_or("no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        if line.trim() == "open" { Ok(other) } else { Err("the other process failed".into()) }
    }

    /// As a crash would.
    fn kill(mut self) -> Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Plays a role, if this is another process of a bench.
pub(crate) fn play() -> Option<Result<()>> {
    let role = match std::env::var(ROLE).ok()?.as_str() {
        "hold" => Role::Hold,
        _ => Role::Commit,
    };
    let directory = std::env::var_os(DIRECTORY)?;
    Some(run(role, Path::new(&directory)))
}

fn run(role: Role, directory: &Path) -> Result<()> {
    let store = open(directory)?;
    println!("open");
    let (sender, ended) = channel::<()>();
    std::thread::spawn(move || {
        _ = std::io::stdin().read_to_end(&mut Vec::new());
        drop(sender);
    });
    match role {
        Role::Hold => _ = ended.recv(),
        Role::Commit => commit_until(&store, &ended)?,
    }
    Ok(store.close()?)
}

fn commit_until(store: &Store<App>, ended: &Receiver<()>) -> Result<()> {
    // As a person does, and not in step with anything.
    let pause = |n: u64| Duration::from_micros(1_500 + n % 7 * 300);
    for n in 0.. {
        if ended.recv_timeout(pause(n)) != Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            break;
        }
        let mut created = Created::nth(n);
        created.text = nanos().to_string();
        store.commit(TodoEvent::from(created))?;
    }
    Ok(())
}
