//! A client that is a process of its own: the test's program runs itself again.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use livestore::prelude::*;
use livestore::sync::SyncOptions;
use livestore_sync::WebSocket;
use livestore_telemetry::Otlp;
use livestore_testing::sample::todos::{App, Todo, TodoEvent};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;

const SERVER: &str = "LIVESTORE_TEST_SERVER";

/// A text that no span may have.
pub(crate) const SECRET: &str = "nobody must read this";

/// Long enough for any machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs each command that it reads, a line each, and answers with a line.
#[test]
#[ignore = "the other process of the other tests"]
fn party() {
    let server = std::env::var(SERVER).expect("run by the other tests only");
    let otlp = Otlp::from_env("a client").unwrap();
    tracing_subscriber::registry().with(otlp.layer().with_filter(LevelFilter::DEBUG)).init();
    let sync = SyncOptions::new(WebSocket::new(format!("ws://{server}")));
    let store = Store::<App>::builder("todos").sync(sync).open().unwrap();
    let todos = store.live(Todo::all().count()).unwrap();
    let _subscription = todos.subscribe(|count| {
        tracing::info_span!("callback", count = **count).in_scope(|| {});
    });
    for line in std::io::stdin().lock().lines() {
        match line.unwrap().split_once(' ') {
            Some(("commit", id)) => {
                let created = TodoEvent::Created {
                    id: id.to_owned(),
                    text: SECRET.to_owned(),
                    created_at: Timestamp::from_millis(0),
                };
                tracing::info_span!("click").in_scope(|| store.commit(created)).unwrap();
            }
            Some(("pause", _)) => store.pause_sync(),
            Some(("resume", _)) => store.resume_sync(),
            Some(("sync", _)) => assert!(store.wait_synced(PATIENCE).unwrap()),
            Some(("see", count)) => {
                let count: u64 = count.parse().unwrap();
                livestore_testing::wait_until(|| **todos.get() == count);
            }
            other => panic!("{other:?}"),
        }
        println!("done");
    }
    drop(store);
    otlp.shutdown().unwrap();
}

pub(crate) struct Party {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Party {
    pub(crate) fn start(name: &str, server: &str, collector: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "party::party", "--ignored", "--nocapture"]);
        command.env(SERVER, server);
        export(&mut command, name, collector);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().unwrap());
        Self { child, stdin, stdout: BufReader::new(stdout) }
    }

    /// Waits until it has done this.
    pub(crate) fn ask(&mut self, request: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{request}").unwrap();
        let done = self.stdout.by_ref().lines().any(|line| line.unwrap().ends_with("done"));
        assert!(done, "{request}: the process has ended");
    }

    /// Lets it end, and send its last spans.
    pub(crate) fn end(mut self) {
        self.stdin = None;
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Party {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sets what a process exports, and where to.
pub(crate) fn export(command: &mut Command, name: &str, collector: &str) {
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector).env("OTEL_SERVICE_NAME", name);
    command.env("OTEL_BSP_SCHEDULE_DELAY", "50");
}
