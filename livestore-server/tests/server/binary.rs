//! The command as it is run.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use tokio_tungstenite::tungstenite::Error;

use crate::client::{Client, accepted, event, push};
use crate::operator::get;

pub(crate) struct Binary {
    child: Child,
    pub(crate) address: String,
}

impl Binary {
    fn start(data: &Path, arguments: &[&str]) -> Self {
        let mut command = command(data, &["--listen", "127.0.0.1:0"]);
        command.args(arguments);
        Self::run(command)
    }

    /// On a disk whose files cannot grow any longer than this.
    #[cfg(unix)]
    fn start_on_full_disk(data: &Path, kilobytes: u64) -> Self {
        let mut shell = Command::new("sh");
        // `ulimit` counts in blocks of 512 bytes.
        let limited = r#"trap "" XFSZ; ulimit -f "$0"; exec "$@""#;
        shell.args(["-c", limited, &(2 * kilobytes).to_string()]);
        shell.arg(env!("CARGO_BIN_EXE_livestore-server")).arg("--data").arg(data);
        shell.args(["--listen", "127.0.0.1:0"]);
        Self::run(shell)
    }

    pub(crate) fn run(command: Command) -> Self {
        Self::run_with_log(command, Stdio::null())
    }

    pub(crate) fn run_with_log(mut command: Command, log: Stdio) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("livestore-server listens on ").unwrap().to_owned();
        Self { child, address }
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Binary {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn command(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_livestore-server"));
    command.arg("--data").arg(data).args(arguments);
    command
}

fn run(data: &Path, arguments: &[&str]) -> Output {
    command(data, arguments).output().unwrap()
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn complaint(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8(output.stderr.clone()).unwrap()
}

async fn pulled(address: &str, store: &str) -> Vec<u64> {
    let mut client = Client::connect(address, store).await;
    client.pull("0", false).await;
    let mut seqs = Vec::new();
    loop {
        let frame = client.receive().await;
        if frame["_tag"] == "Exit" {
            return seqs;
        }
        seqs.extend(crate::client::seqs(&frame));
        client.ack("0").await;
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9_exactly_once() {
    let data = tempfile::tempdir().unwrap();
    let mut head = 0;
    for round in 0..5_u64 {
        let server = Binary::start(data.path(), &[]);
        let mut client = Client::connect(&server.address, "st").await;
        for _ in 0..20 {
            assert_eq!(client.push("1", &[event(head + 1)]).await, accepted());
            head += 1;
        }
        // One more is under way when it dies: it may be there or not.
        client.send(push("2", "st", &[event(head + 1)])).await;
        tokio::time::sleep(Duration::from_micros(300 * round)).await;
        server.kill();
        let server = Binary::start(data.path(), &[]);
        let seqs = pulled(&server.address, "st").await;
        assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
        assert!(
            seqs.len() as u64 == head || seqs.len() as u64 == head + 1,
            "{head}: {}",
            seqs.len()
        );
        // Its client does not know either, and tries again.
        let mut client = Client::connect(&server.address, "st").await;
        assert_eq!(client.push("3", &[event(head + 1)]).await, accepted());
        head += 1;
        assert_eq!(pulled(&server.address, "st").await.len() as u64, head);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_full_disk_refuses_pushes_and_keeps_what_it_has() {
    let data = tempfile::tempdir().unwrap();
    let server = Binary::start_on_full_disk(data.path(), 400);
    let mut client = Client::connect(&server.address, "st").await;
    let mut head = 0;
    let refused = loop {
        let batch: Vec<_> = (head + 1..=head + 100).map(event).collect();
        let answer = client.push("1", &batch).await;
        if answer != accepted() {
            break answer;
        }
        head += 100;
    };
    assert!(head > 0);
    assert_eq!(refused["_tag"], "Failure", "{refused}");
    assert!(refused.to_string().contains("cannot be used at the moment"), "{refused}");
    let ready = get(&server.address, "/ready").await;
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("at the moment"), "{ready}");
    // It still answers, on the same connection and on others.
    assert_eq!(pulled(&server.address, "st").await.len() as u64, head);
    assert_eq!(client.push("2", &[event(1)]).await["_tag"], "Failure");
    // There is room again: the write-ahead log starts over.
    let file = rusqlite::Connection::open(data.path().join("events.db")).unwrap();
    file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).unwrap();
    drop(file);
    let ready = get(&server.address, "/ready").await;
    assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
    assert_eq!(client.push("3", &[event(head + 1)]).await, accepted());
    assert_eq!(pulled(&server.address, "st").await.len() as u64, head + 1);
    server.kill();

    let server = Binary::start(data.path(), &[]);
    assert_eq!(pulled(&server.address, "st").await.len() as u64, head + 1);
}

#[cfg(unix)]
#[tokio::test]
async fn sigterm_ends_it_with_a_goodbye() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Binary::start(data.path(), &[]);
    let mut client = Client::connect(&server.address, "st").await;
    assert_eq!(client.push("1", &[event(1)]).await, accepted());
    let id = server.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(client.closed().await, "1001 the server is stopping");
    assert!(server.child.wait().unwrap().success());
}

#[tokio::test]
async fn events_are_exported_imported_and_backed_up_beside_a_running_server() {
    let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Binary::start(data.path(), &[]);
    let mut client = Client::connect(&server.address, "st").await;
    let batch: Vec<_> = (1..=100).map(event).collect();
    assert_eq!(client.push("1", &batch).await, accepted());
    assert_eq!(client.push("1", &[event(101)]).await, accepted());
    let exported = printed(&run(data.path(), &["export", "st"]));
    assert_eq!(exported.lines().count(), 101);
    let file = other.path().join("st.jsonl");
    let file_name = file.to_str().unwrap();
    printed(&run(data.path(), &["export", "st", file_name]));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), exported);
    let listed = printed(&run(data.path(), &["list"]));
    assert!(listed.contains("\te101\t") && listed.ends_with("\tst\n"), "{listed}");
    let copy = other.path().join("copy");
    printed(&run(data.path(), &["backup", copy.to_str().unwrap()]));
    assert_eq!(printed(&run(&copy, &["list"])), listed);
    assert!(
        complaint(&run(data.path(), &["import", "st", file_name])).contains("another server uses")
    );
    drop(server);

    let fresh = other.path().join("fresh");
    assert_eq!(
        printed(&run(&fresh, &["import", "st2", file_name])),
        "imported 101 events into st2\n"
    );
    assert_eq!(printed(&run(&fresh, &["export", "st2"])), exported);
    assert_eq!(
        printed(&run(&fresh, &["import", "st2", file_name])),
        "imported 0 events into st2, which already had the first 101\n"
    );
    let next = exported
        .lines()
        .last()
        .unwrap()
        .replace("101", "102")
        .replace("\"parentSeqNum\":100", "\"parentSeqNum\":101");
    std::fs::write(&file, &next).unwrap();
    printed(&run(&fresh, &["import", "st2", file_name]));
    std::fs::write(&file, next.replace("102", "105").replace("101", "104")).unwrap();
    let refused = complaint(&run(&fresh, &["import", "st2", file_name]));
    assert!(refused.contains("st2 ends with e102, but the file begins after e104"), "{refused}");
    std::fs::write(&file, exported.replacen("\"clientId\":\"", "\"clientId\":\"not-", 1)).unwrap();
    let refused = complaint(&run(&fresh, &["import", "st2", file_name]));
    assert!(
        refused.contains("st2 and the file have different events from e1 to e100"),
        "{refused}"
    );
    std::fs::write(&file, exported.replacen("\"parentSeqNum\":49,", "\"parentSeqNum\":48,", 1))
        .unwrap();
    let refused = complaint(&run(&fresh, &["import", "st3", file_name]));
    assert!(refused.contains("st.jsonl:50: e50 ← e48 does not follow e49"), "{refused}");
    let nothing = complaint(&run(&fresh, &["export", "st3"]));
    assert!(nothing.contains("st3"), "nothing of it is stored: {nothing}");
}

#[tokio::test]
async fn what_keeps_it_from_starting_is_told_in_one_line() {
    let data = tempfile::tempdir().unwrap();
    let server = Binary::start(data.path(), &[]);
    let held = complaint(&run(data.path(), &["--listen", "127.0.0.1:0"]));
    assert!(held.contains("another server uses this directory"), "{held}");
    let elsewhere = tempfile::tempdir().unwrap();
    let taken = complaint(&run(elsewhere.path(), &["--listen", &server.address]));
    assert!(taken.contains(&format!("cannot listen on {}", server.address)), "{taken}");
    let file = elsewhere.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let config = elsewhere.path().join("config.toml");
    std::fs::write(&config, "listn = 'x'").unwrap();
    let config = config.to_str().unwrap();
    for (output, text) in [
        (run(&file.join("data"), &[]), "a-file"),
        (run(elsewhere.path(), &["--config", config]), "unknown field `listn`"),
        (run(elsewhere.path(), &["--tokens", "missing"]), "missing: No such file"),
        (run(elsewhere.path(), &["export", "nobody"]), "nobody: the store does not exist"),
        (run(&elsewhere.path().join("no-data"), &["list"]), "events.db"),
    ] {
        let complaint = complaint(&output);
        assert!(
            complaint.starts_with("livestore-server: ") && complaint.contains(text),
            "{complaint}"
        );
        assert!(complaint.lines().count() <= 6, "{complaint}");
    }
}

#[tokio::test]
async fn flags_come_before_environment_and_file() {
    let data = tempfile::tempdir().unwrap();
    let path = |name: &str| data.path().join(name).to_str().unwrap().to_owned();
    for name in ["flag", "env", "file"] {
        std::fs::write(path(name), format!("{name} * read,write\n")).unwrap();
    }
    let config = format!("tokens = {:?}\nmax-connections = 7\n", path("file"));
    std::fs::write(path("config"), config).unwrap();
    let connects = async |server: &Binary, token: &str| {
        let query = format!("storeId=a&transport=ws&payload=%7B%22token%22:%22{token}%22%7D");
        match Client::try_connect(&server.address, &query, "a").await {
            Ok(_) => true,
            Err(Error::Http(_)) => false,
            Err(error) => panic!("{error}"),
        }
    };
    let config = path("config");
    let file = Binary::start(&data.path().join("1"), &["--config", &config]);
    assert!(connects(&file, "file").await && !connects(&file, "flag").await);
    let flag =
        Binary::start(&data.path().join("2"), &["--config", &config, "--tokens", &path("flag")]);
    assert!(connects(&flag, "flag").await && !connects(&flag, "file").await);
    let both =
        command(&data.path().join("3"), &["--tokens", "a", "--jwt-secret", "b"]).output().unwrap();
    assert!(complaint(&both).contains("cannot be used with"));
}
