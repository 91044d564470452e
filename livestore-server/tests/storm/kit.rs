//! Client processes that write while they are killed, and what must hold in the end.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use livestore::prelude::*;
use livestore::sync::SyncOptions;
use livestore_sync::WebSocket;
use livestore_testing::sample::notes::{App, added};

/// Longer than anything takes here, on a machine that has other things to do, too.
const TIMEOUT: Duration = Duration::from_secs(900);

/// A client that has this many pending events commits no more until some are pushed.
const MAX_PENDING: usize = 200;

/// What a client process does: it commits and says so until it is told to stop, syncs, and shows
/// its log once it has what it is told that there is.
pub(crate) fn run_client() {
    let Ok(name) = std::env::var("STORM_CLIENT") else { return };
    let directory = PathBuf::from(std::env::var_os("STORM_DIRECTORY").unwrap()).join(&name);
    let url = std::env::var("STORM_URL").unwrap();
    let store = Store::<App>::builder("storm")
        .directory(directory)
        .client_id(name.clone())
        .sync(SyncOptions::new(WebSocket::new(url)).start_paused())
        .open()
        .unwrap();
    // Behind what the test runner says.
    say("");
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        std::io::stdin().lines().map_while(Result::ok).for_each(|line| _ = sender.send(line));
    });
    // Before a rebase gives events other numbers while they are counted.
    let own = store.events().into_iter().map(Result::unwrap);
    let mut next = own.filter(|event| *event.client_id == *name).count();
    store.resume_sync();
    while lines.recv_timeout(Duration::from_millis(10)).is_err() {
        // However slow the machine is, what is left to push in the end is soon pushed.
        if store.sync_status().unwrap().pending >= MAX_PENDING {
            continue;
        }
        let id = format!("{name}-{next}");
        // No two of a note can be applied: an event that is there twice is noticed.
        store.commit(added(&id)).unwrap();
        say(&format!("committed {id}"));
        next += 1;
    }
    assert!(store.wait_synced(TIMEOUT).unwrap(), "{:?}", store.sync_status());
    say(&format!("synced {}", store.sync_status().unwrap().upstream_head.global));
    let head: u64 = lines.recv_timeout(TIMEOUT).unwrap().parse().unwrap();
    while store.sync_status().unwrap().upstream_head.global < head {
        std::thread::sleep(Duration::from_millis(10));
    }
    for event in store.events() {
        let event = event.unwrap();
        say(&format!("event {} {}", event.seq.global, event.args));
    }
    assert_eq!(store.quarantined().unwrap(), []);
    say(&format!("state {}", store.state_hash().unwrap()));
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).unwrap();
}

pub(crate) struct Client {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Client {
    /// Starts this program again, as a client: `test` is the name of the test that calls
    /// [`run_client`].
    pub(crate) fn start(test: &str, name: &str, directory: &Path, url: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
            .env("STORM_CLIENT", name)
            .env("STORM_DIRECTORY", directory)
            .env("STORM_URL", url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (tell, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            output.lines().map_while(Result::ok).for_each(|line| _ = tell.send(line));
        });
        Self { input: child.stdin.take(), child, lines }
    }

    /// Kills it; what it had said by then.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.lines.iter().collect()
    }

    pub(crate) fn tell(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Waits until it has synced: what it says by then, and its head.
    pub(crate) fn synced(&mut self) -> (Vec<String>, u64) {
        let mut said = Vec::new();
        loop {
            let line = self.lines.recv_timeout(TIMEOUT).unwrap();
            match line.strip_prefix("synced ") {
                Some(head) => return (said, head.parse().unwrap()),
                None => said.push(line),
            }
        }
    }

    /// What else it says before it ends.
    pub(crate) fn finish(mut self) -> Vec<String> {
        let said = self.lines.iter().collect();
        assert!(self.child.wait().unwrap().success());
        said
    }
}

pub(crate) struct Server(Child);

impl Server {
    /// Starts a server over this storage, and waits until it answers. If it ends, because the storage did not
    /// answer in time, it is started again, as an operator's machine does it.
    pub(crate) fn start(address: &str, storage: &str) -> Self {
        let spawn = || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_livestore-server"));
            command.args(["--listen", address, "--storage", storage, "--log", "off"]);
            Self(command.stdout(Stdio::null()).spawn().unwrap())
        };
        let (mut server, start) = (spawn(), Instant::now());
        while std::net::TcpStream::connect(address).is_err() {
            assert!(start.elapsed() < TIMEOUT, "the server does not come up");
            std::thread::sleep(Duration::from_millis(10));
            if server.0.try_wait().unwrap().is_some() {
                server = spawn();
            }
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Has all clients stop and sync, and checks that they have the same, and everything once. `said` is what
/// they have said so far. Returns the numbers of commits and events.
pub(crate) fn check(mut clients: Vec<Client>, mut said: Vec<String>) -> (usize, usize) {
    clients.iter_mut().for_each(|client| client.tell("stop"));
    let mut head = 0;
    for client in &mut clients {
        let (lines, at) = client.synced();
        said.extend(lines);
        head = head.max(at);
    }
    clients.iter_mut().for_each(|client| client.tell(&head.to_string()));
    let finished: Vec<Vec<String>> = clients.into_iter().map(Client::finish).collect();
    let of = |lines: &[String], word: &str| -> Vec<String> {
        lines.iter().filter_map(|line| line.strip_prefix(word)).map(str::to_owned).collect()
    };
    let logs: Vec<_> = finished.iter().map(|lines| of(lines, "event ")).collect();
    let states: HashSet<_> = finished.iter().flat_map(|lines| of(lines, "state ")).collect();
    assert!(logs.iter().all(|log| *log == logs[0]), "all logs are equal");
    assert_eq!(states.len(), 1, "all states are equal");
    let there: Vec<&str> = logs[0].iter().map(|line| line.split_once(' ').unwrap().1).collect();
    let once: HashSet<&str> = there.iter().copied().collect();
    assert_eq!(once.len(), there.len(), "no event is there twice");
    let committed = of(&said, "committed ");
    for id in &committed {
        let args = format!(r#"{{"id":"{id}","text":"text of {id}"}}"#);
        assert!(once.contains(args.as_str()), "{id} is lost");
    }
    (committed.len(), there.len())
}
