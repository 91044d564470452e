//! Ten clients write while they and the server are killed, again and again: nothing is lost and
//! nothing is there twice.
#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]
#![expect(clippy::disallowed_methods, reason = "processes, files and time")]

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use livestore::prelude::*;
use livestore::sync::SyncOptions;
use livestore_sync::WebSocket;
use livestore_testing::TIMEOUT;
use livestore_testing::sample::notes::{App, added};

const CLIENTS: usize = 10;
const STORM: Duration = Duration::from_secs(20);

/// What a client process does: it commits and says so until it is told to stop, syncs, and shows
/// its log once it has what it is told that there is.
#[test]
#[ignore = "the process that `nothing_is_lost_or_doubled` starts"]
fn client() {
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

struct Client {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Client {
    fn start(name: &str, directory: &Path, url: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "client", "--ignored", "--nocapture", "--test-threads=1"])
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
    fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.lines.iter().collect()
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Waits until it has synced: what it says by then, and its head.
    fn synced(&mut self) -> (Vec<String>, u64) {
        let mut said = Vec::new();
        loop {
            let line = self.lines.recv_timeout(2 * TIMEOUT).unwrap();
            match line.strip_prefix("synced ") {
                Some(head) => return (said, head.parse().unwrap()),
                None => said.push(line),
            }
        }
    }

    /// What else it says before it ends.
    fn finish(mut self) -> Vec<String> {
        let said = self.lines.iter().collect();
        assert!(self.child.wait().unwrap().success());
        said
    }
}

struct Server(Child);

impl Server {
    fn start(address: &str, data: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_livestore-server"));
        command.args(["--listen", address, "--data"]).arg(data);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let start = Instant::now();
        while std::net::TcpStream::connect(address).is_err() {
            assert!(start.elapsed() < TIMEOUT, "the server does not come up");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self(child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn nothing_is_lost_or_doubled() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("server");
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let url = format!("ws://{address}");
    let name = |at: usize| format!("c{at}");
    let start = |at: usize| Client::start(&name(at), directory.path(), &url);
    let mut server = Server::start(&address, &data);
    let mut clients: Vec<Client> = (0..CLIENTS).map(start).collect();
    let (mut said, mut kills) = (Vec::new(), 0);
    let began = Instant::now();
    while began.elapsed() < STORM {
        std::thread::sleep(Duration::from_millis(200 + kills * 53 % 300));
        if kills % 4 == 0 {
            drop(server);
            server = Server::start(&address, &data);
        } else {
            let at = kills as usize * 7 % CLIENTS;
            said.extend(clients.remove(at).kill());
            clients.insert(at, start(at));
        }
        kills += 1;
    }
    clients.iter_mut().for_each(|client| client.tell("stop"));
    let mut head = 0;
    for client in &mut clients {
        let (lines, at) = client.synced();
        said.extend(lines);
        head = head.max(at);
    }
    clients.iter_mut().for_each(|client| client.tell(&head.to_string()));
    let finished: Vec<Vec<String>> = clients.into_iter().map(Client::finish).collect();
    drop(server);

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
    println!("{kills} kills, {} commits, {} events", committed.len(), there.len());
    assert!(kills > 20 && committed.len() > 100);
    for id in committed {
        let args = format!(r#"{{"id":"{id}","text":"text of {id}"}}"#);
        assert!(once.contains(args.as_str()), "{id} is lost");
    }
}
