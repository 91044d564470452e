//! The server as a process that is killed.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test of a process")]

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use livestore::prelude::*;
use livestore::sync::SyncOptions;
use livestore_sync::WebSocket;
use livestore_testing::wait_until;
use todo_schema::{App, TodoEvent};

struct Server {
    child: Child,
    url: String,
    log: Lines<BufReader<ChildStderr>>,
}

impl Server {
    fn start(data: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_todo-server"));
        command.args(["--listen", "127.0.0.1:0", "--log", "info", "--data"]).arg(data);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("livestore-server listens on ").unwrap();
        let url = format!("ws://{address}");
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, url, log }
    }

    /// Waits for the next todo that somebody is congratulated on.
    fn congratulation(&mut self) -> String {
        let lines = self.log.by_ref().map(Result::unwrap);
        let line = lines.into_iter().find(|line| line.contains("well done")).unwrap();
        let id = line.split(' ').find_map(|word| word.strip_prefix("id=")).unwrap();
        id.trim_matches('"').to_owned()
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn side_effects_go_on_where_they_were_when_the_server_was_killed() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    let complete = |url: &str, id: &str| {
        let options = SyncOptions::new(WebSocket::new(url));
        let store = Store::<App>::builder("todos").sync(options).open().unwrap();
        wait_until(|| store.sync_status().unwrap().is_synced());
        store.commit(TodoEvent::created(id, "Something").unwrap()).unwrap();
        store.commit(TodoEvent::Completed { id: id.to_owned() }).unwrap();
        wait_until(|| store.sync_status().unwrap().is_synced());
    };
    let mut handled = Vec::new();
    for id in ["a", "b", "c"] {
        let mut server = Server::start(data);
        complete(&server.url, id);
        // An event whose note was lost with the last server comes once more before it.
        while handled.last().is_none_or(|last| last != id) {
            handled.push(server.congratulation());
        }
        server.kill();
    }
    handled.dedup();
    assert_eq!(handled, ["a", "b", "c"]);
}
