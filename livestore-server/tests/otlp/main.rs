//! Spans of two clients and the server, each a process of its own, at one collector.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]

mod party;
mod receiver;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use party::{Party, SECRET, export};
use receiver::{Received, Receiver};

struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(data: &Path, collector: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_livestore-server"));
        command.args(["--listen", "127.0.0.1:0", "--otlp", "debug", "--data"]).arg(data);
        export(&mut command, "server", collector);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("livestore-server listens on ").unwrap().to_owned();
        Self { child, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct World {
    receiver: Receiver,
    server: Server,
    _data: tempfile::TempDir,
}

impl World {
    fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let receiver = Receiver::start();
        let server = Server::start(data.path(), &receiver.endpoint);
        Self { receiver, server, _data: data }
    }

    fn party(&self, name: &str) -> Party {
        Party::start(name, &self.server.address, &self.receiver.endpoint)
    }

    /// A span of this service, in the trace of another span.
    fn of_trace(&self, of: &Received, service: &str, name: &str) -> Received {
        self.receiver
            .wait_for(|span| span.is(service, name) && span.span.trace_id == of.span.trace_id)
    }
}

#[test]
fn a_trace_goes_from_a_commit_through_the_server_to_another_clients_callback() {
    let world = World::start();
    let (mut alice, mut bob) = (world.party("alice"), world.party("bob"));
    bob.ask("sync now");
    alice.ask("commit a");
    bob.ask("see 1");

    let write = world.receiver.wait_for(|span| span.is("alice", "write"));
    let append = world.of_trace(&write, "server", "append");
    let apply = world.of_trace(&write, "bob", "apply");
    let callback = world.of_trace(&write, "bob", "callback");
    assert_eq!(callback.span.parent_span_id, apply.span.span_id);
    for root in [&write, &append, &apply] {
        assert!(root.span.parent_span_id.is_empty(), "{root:?}");
        assert_eq!(root.attribute("livestore.seq").unwrap().trim_start_matches('e'), "1");
        assert_eq!(root.attribute("db.namespace").as_deref(), Some("todos"));
        assert_eq!(root.attribute("db.system.name").as_deref(), Some("livestore"));
    }
    assert_eq!(append.attribute("livestore.is_accepted").as_deref(), Some("true"));

    // The app's own trace has the commit, and the commit's trace a link to it.
    let commit = world.receiver.wait_for(|span| span.is("alice", "commit"));
    let click = world.of_trace(&commit, "alice", "click");
    assert_eq!(commit.span.parent_span_id, click.span.span_id);
    assert_ne!(commit.span.trace_id, write.span.trace_id);
    let link = write.span.links.first().unwrap();
    assert_eq!((&link.trace_id, &link.span_id), (&commit.span.trace_id, &commit.span.span_id));

    alice.end();
    bob.end();
    assert!(!world.receiver.dump().contains(SECRET), "args are in a span");
}

#[test]
fn a_rebase_begins_another_trace_with_a_link_to_the_first_one() {
    let world = World::start();
    let (mut alice, mut bob) = (world.party("alice"), world.party("bob"));
    alice.ask("sync now");
    alice.ask("pause now");
    alice.ask("commit a");
    bob.ask("commit b");
    bob.ask("sync now");
    alice.ask("resume now");
    bob.ask("see 2");

    let write = world.receiver.wait_for(|span| span.is("alice", "write"));
    let rebase = world.receiver.wait_for(|span| span.is("alice", "rebase"));
    assert_ne!(write.span.trace_id, rebase.span.trace_id);
    let link = rebase.span.links.last().unwrap();
    assert_eq!((&link.trace_id, &link.span_id), (&write.span.trace_id, &write.span.span_id));
    let append = world.of_trace(&rebase, "server", "append");
    assert_eq!(append.attribute("livestore.is_accepted").as_deref(), Some("true"));
    world.of_trace(&rebase, "bob", "apply");
}
