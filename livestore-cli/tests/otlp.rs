//! `--otlp`: what a command does is exported, where the environment says.

#![cfg(feature = "otlp")]
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Output;
use std::sync::mpsc;
use std::time::Duration;

use support::Data;

/// Long enough for any machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Tries to sync with a backend that is not there.
fn sync(data: &Data, variables: &[(&str, &str)]) -> Output {
    let mut command = data.command();
    command.args(["sync", ".", "todos", "--create", "--timeout", "0", "--otlp", "info"]);
    command.args(["--url", "ws://127.0.0.1:9"]).envs(variables.iter().copied());
    command.output().unwrap()
}

/// Reads a request, answers that all is well, and returns its head and body.
fn receive(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).unwrap(), 0, "{head}");
    }
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
    (head, body)
}

#[test]
fn spans_are_exported_where_the_environment_says() {
    let data = Data::new();
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let (sender, received) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = collector.accept().unwrap();
        sender.send(receive(&mut stream)).unwrap();
    });
    let variables =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint), ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=k1")];
    let done = sync(&data, &variables);
    assert_eq!(done.status.code(), Some(1), "there is no backend");
    let (head, body) = received.recv_timeout(PATIENCE).unwrap();
    assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
    for line in ["x-key: k1", "content-type: application/x-protobuf"] {
        assert!(head.lines().any(|found| found == line), "{head}");
    }
    let has = |text: &str| body.windows(text.len()).any(|found| found == text.as_bytes());
    assert!(has("service.name") && has("livestore") && has("db.namespace") && has("todos"));
}

#[test]
fn a_collector_that_does_not_answer_is_said_once() {
    let data = Data::new();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoint = format!("http://{nobody}");
    let done = sync(&data, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint)]);
    let complaint = String::from_utf8(done.stderr).unwrap();
    let said = "livestore: warning: spans cannot be exported, and are dropped";
    assert_eq!(complaint.matches(said).count(), 1, "{complaint}");
    assert!(complaint.contains(&endpoint), "{complaint}");
}

#[test]
fn what_the_environment_asks_for_in_vain_is_refused() {
    let data = Data::new();
    for (name, value, says) in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "only `http/protobuf` is supported"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon", "`soon`"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", "gzip"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "not a url", "cannot be made from the environment"),
    ] {
        let done = sync(&data, &[(name, value)]);
        let complaint = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(2), "{name}={value}: {complaint}");
        assert!(complaint.contains(says), "{name}={value}: {complaint}");
    }
    let disabled =
        sync(&data, &[("OTEL_SDK_DISABLED", "true"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]);
    assert_eq!(disabled.status.code(), Some(1), "there is no backend");
}
