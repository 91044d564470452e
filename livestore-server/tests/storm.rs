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
use livestore_sync::WebSocket;

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    #[column(primary_key)]
    pub id: String,
}

#[derive(Event, Debug, Clone)]
#[event(name = "v1.Marked")]
pub struct Marked {
    pub id: String,
}

impl Materialize for Marked {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        // Not an upsert: an event that is there twice is seen.
        state.insert(&Mark { id: self.id.clone() })
    }
}

livestore::schema! { pub App { tables: [Mark], events: [Marked] } }

const CLIENTS: usize = 10;
const STORM: Duration = Duration::from_secs(20);
const PATIENCE: Duration = Duration::from_secs(90);

/// What a client process does: it commits and says so until its input ends, and then syncs.
#[test]
#[ignore = "the process that `nothing_is_lost_or_doubled` starts"]
fn client() {
    let Ok(name) = std::env::var("STORM_CLIENT") else { return };
    let directory = PathBuf::from(std::env::var_os("STORM_DIRECTORY").unwrap()).join(&name);
    let url = std::env::var("STORM_URL").unwrap();
    let store = Store::<App>::builder("storm")
        .directory(directory)
        .client_id(name.clone())
        .sync(WebSocket::new(url))
        .open()
        .unwrap();
    let (tell, told) = channel::<()>();
    std::thread::spawn(move || {
        std::io::stdin().lines().for_each(drop);
        drop(tell);
    });
    let own = store.events().into_iter().map(Result::unwrap);
    let mut next = own.filter(|event| *event.client_id == *name).count();
    while told.recv_timeout(Duration::from_millis(3))
        == Err(std::sync::mpsc::RecvTimeoutError::Timeout)
    {
        let id = format!("{name}-{next}");
        store.commit(Marked { id: id.clone() }).unwrap();
        say(&format!("committed {id}"));
        next += 1;
    }
    assert!(store.wait_synced(PATIENCE).unwrap(), "{:?}", store.sync_status());
    say("synced");
    // The others may still push: the last word is the server's.
    std::thread::sleep(Duration::from_secs(2));
    assert!(store.wait_synced(PATIENCE).unwrap());
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

    /// Lets it sync and end; all that it says.
    fn finish(mut self) -> Vec<String> {
        drop(self.input.take());
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
            assert!(start.elapsed() < PATIENCE, "the server does not come up");
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
    said.extend(finished.into_iter().flatten());
    let committed = of(&said, "committed ");
    println!("{kills} kills, {} commits, {} events", committed.len(), there.len());
    assert!(kills > 20 && committed.len() > 100);
    for id in committed {
        assert!(once.contains(format!("{{\"id\":\"{id}\"}}").as_str()), "{id} is lost");
    }
}
