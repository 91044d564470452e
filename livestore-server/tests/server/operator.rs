//! What an operator does and sees: settings, the log, metrics, tokens, the disk.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use livestore_server::Limits;
use livestore_server::auth::{Jwt, TokenFile};
use serde_json::json;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::binary::{Binary, command};
use crate::client::{Client, PATIENCE, TestServer, accepted, event, pull};

fn complaint(data: &Path, arguments: &[&str]) -> String {
    let mut command = command(data, arguments);
    if !arguments.contains(&"--listen") {
        // A server that accepts the others does not run for ever.
        command.args(["--listen", "nowhere"]);
    }
    let output = command.output().unwrap();
    assert!(!output.status.success(), "{arguments:?} is accepted");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_setting_that_nobody_can_mean_is_refused_in_words() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (empty, keys) =
        (file("empty", " \n"), file("keys", r#"{"keys":[{"kty":"EC","crv":"P-256"}]}"#));
    let config = file("config.toml", "idle-seconds = 0\n");
    for (arguments, reason) in [
        (&["--log", "nope"][..], "log is `nope`, which is not a level"),
        (&["--log", ""], "log is ``"),
        (&["--log", "info,livestore_server=loud"], "livestore_server=loud"),
        (&["--max-connections", "0"], "max-connections is 0; it has to be at least 1"),
        (&["--max-connections", "-1"], "invalid value '-1'"),
        (&["--max-connections", "18446744073709551615"], "it has to be at most 1000000"),
        (&["--max-stores", "0"], "max-stores is 0"),
        (&["--max-store-bytes", "0"], "max-store-bytes is 0"),
        (&["--max-message-bytes", "10"], "it has to be at least 1024"),
        (&["--idle-seconds", "0"], "idle-seconds is 0"),
        (&["--idle-seconds", "18446744073709551615"], "idle-seconds is 18446744073709551615"),
        (&["--drain-seconds", "99999999999"], "drain-seconds is 99999999999"),
        (&["--durability", "maybe"], "invalid value 'maybe'"),
        (&["--log-format", "xml"], "invalid value 'xml'"),
        (&["--listen", "nowhere"], "cannot listen on nowhere"),
        (&["--jwt-issuer", "me"], "jwt-issuer is set in vain"),
        (&["--jwt-leeway-seconds", "5"], "jwt-leeway-seconds is set in vain"),
        (&["--jwt-leeway-seconds", "999999"], "jwt-leeway-seconds is 999999"),
        (&["--jwt-secret", &empty], "the secret is empty"),
        (&["--jwt-jwks", &keys], "no key in it can be used"),
        (&["--config", &config], "idle-seconds is 0"),
    ] {
        let complaint = complaint(&data, arguments);
        assert!(complaint.contains(reason), "{arguments:?}: {complaint}");
    }
}

/// A store id that would clear the screen, and look like a line of the log.
const HOSTILE: &str = "x%0A2026-01-01T00:00:00Z%20%20INFO%20all%20is%20well%1B%5B2J%C2%9B1m";

#[tokio::test]
async fn nothing_from_outside_reaches_a_terminal_unescaped() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let (tokens, log) = (directory.path().join("tokens"), directory.path().join("log"));
    std::fs::write(&tokens, "good * read,write\n").unwrap();
    let arguments = ["--listen", "127.0.0.1:0", "--log", "debug", "--tokens"];
    let mut server = command(&data, &arguments);
    server.arg(&tokens);
    let server = Binary::run_with_log(server, Stdio::from(File::create(&log).unwrap()));
    for token in ["good", "bad"] {
        let query =
            format!("storeId={HOSTILE}&transport=ws&payload=%7B%22token%22:%22{token}%22%7D");
        let _ = Client::try_connect(&server.address, &query, "x").await;
    }
    let listed = command(&data, &["list"]).output().unwrap();
    server.kill();
    for text in [std::fs::read_to_string(&log).unwrap(), String::from_utf8(listed.stdout).unwrap()]
    {
        assert!(
            text.contains(r"\n2026-01-01T00:00:00Z  INFO all is well\u{1b}[2J\u{9b}1m"),
            "{text}"
        );
        assert!(!text.contains(['\u{1b}', '\u{9b}']) && !text.contains("\n2026-01-01"), "{text:?}");
    }
}

#[tokio::test]
async fn a_refused_push_leaves_a_line_and_a_count() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let server = command(&directory.path().join("data"), &["--listen", "127.0.0.1:0"]);
    let server = Binary::run_with_log(server, Stdio::from(File::create(&log).unwrap()));
    let mut client = Client::connect(&server.address, "st").await;
    let mut malformed = event(1);
    malformed["seqNum"] = json!("one");
    let mut unnamed = event(1);
    unnamed["name"] = json!("");
    for batch in [malformed, unnamed] {
        assert_eq!(client.push("1", &[batch]).await["_tag"], "Failure");
    }
    // Others came first: that is not a refusal.
    assert_eq!(client.push("1", &[event(7)]).await["_tag"], "Failure");
    assert_eq!(client.push("1", &[event(1)]).await, accepted());
    let metrics = get(&server.address, "/metrics").await;
    assert!(metrics.contains("\nlivestore_pushes_refused_total 2\n"), "{metrics}");
    server.kill();
    let log = std::fs::read_to_string(log).unwrap();
    assert_eq!(log.matches("refused a push").count(), 2, "{log}");
    assert!(log.contains("store=st") && log.contains("the name of e1 is empty"), "{log}");
}

#[tokio::test]
async fn every_other_refusal_leaves_a_line_and_a_count() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let server = command(&directory.path().join("data"), &["--listen", "127.0.0.1:0"]);
    let server = Binary::run_with_log(server, Stdio::from(File::create(&log).unwrap()));
    let mut client = Client::connect(&server.address, "st").await;
    for frame in [
        "{nope".to_owned(),
        "null".to_owned(),
        r#"{"_tag":"\u001b[2J"}"#.to_owned(),
        pull("1", "other", false).to_string(),
        pull("2", "st", false).to_string().replace(r#""storeId":"st""#, r#""storeId":7"#),
    ] {
        client.send(frame).await;
        client.receive().await;
    }
    client.assert_serves().await;
    for request in [
        "GET /?storeId=st&transport=http HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        "GET /?storeId=st&transport=ws HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        "this is no HTTP\r\n\r\n",
    ] {
        assert!(raw(&server.address, request).await.starts_with("HTTP/1.1 4"), "{request}");
    }
    let counted = async {
        // What is no HTTP is counted once its connection has ended.
        while !get(&server.address, "/metrics").await.contains("\nlivestore_refused_total 3\n") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, counted).await.expect("three are counted");
    let metrics = get(&server.address, "/metrics").await;
    assert!(metrics.contains("\nlivestore_requests_refused_total 5\n"), "{metrics}");
    server.kill();
    let log = std::fs::read_to_string(log).unwrap();
    assert_eq!(log.matches("refused a request ").count(), 5 + 1, "{log}");
    assert_eq!(log.matches("refused a connection").count(), 2, "{log}");
    assert!(log.contains(r"Unknown request tag: \u{1b}[2J") && !log.contains('\u{1b}'), "{log}");
}

/// Its disk is full, or whoever read it has gone.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_log_that_cannot_be_written_stops_no_server() {
    let directory = tempfile::tempdir().unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let server = command(&directory.path().join("data"), &["--listen", "127.0.0.1:0"]);
    let server = Binary::run_with_log(server, Stdio::from(full));
    let mut client = Client::connect(&server.address, "st").await;
    let mut unnamed = event(1);
    unnamed["name"] = json!("");
    for _ in 0..3 {
        assert_eq!(client.push("1", &[unnamed.clone()]).await["_tag"], "Failure");
        client.send("{nope").await;
        client.receive().await;
    }
    std::fs::remove_dir_all(directory.path().join("data")).unwrap();
    // The writer has something to say, too.
    for _ in 0..2 {
        let exit = client.push("2", &[event(1)]).await.to_string();
        assert!(exit.contains("deleted, moved or replaced"), "{exit}");
    }
    assert!(get(&server.address, "/ready").await.contains("deleted, moved or replaced"));
}

pub(crate) async fn get(address: &str, path: &str) -> String {
    raw(address, &format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await
}

async fn raw(address: &str, request: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_whose_data_was_deleted_is_not_ready_and_accepts_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let server = Binary::run(command(&data, &["--listen", "127.0.0.1:0"]));
    let mut client = Client::connect(&server.address, "st").await;
    assert_eq!(client.push("1", &[event(1)]).await, accepted());
    assert!(get(&server.address, "/ready").await.starts_with("HTTP/1.1 200"));
    std::fs::remove_dir_all(&data).unwrap();
    let exit = client.push("2", &[event(2)]).await.to_string();
    assert!(exit.contains("was deleted, moved or replaced while the server was running"), "{exit}");
    let ready = get(&server.address, "/ready").await;
    assert!(
        ready.starts_with("HTTP/1.1 503") && ready.contains("deleted, moved or replaced"),
        "{ready}"
    );
    assert!(get(&server.address, "/health").await.starts_with("HTTP/1.1 200"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_whose_data_is_moved_back_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let [data, elsewhere] = ["data", "elsewhere"].map(|name| directory.path().join(name));
    let log = directory.path().join("log");
    let server = command(&data, &["--listen", "127.0.0.1:0"]);
    let server = Binary::run_with_log(server, File::create(&log).unwrap().into());
    let mut client = Client::connect(&server.address, "st").await;
    assert_eq!(client.push("1", &[event(1)]).await, accepted());
    std::fs::rename(&data, &elsewhere).unwrap();
    for attempt in ["2", "3"] {
        let exit = client.push(attempt, &[event(2)]).await.to_string();
        assert!(exit.contains("move it back, and the server goes on"), "{exit}");
    }
    // Another directory has its name for a while.
    std::fs::create_dir(&data).unwrap();
    let ready = get(&server.address, "/ready").await;
    assert!(
        ready.starts_with("HTTP/1.1 503") && ready.contains("start the server again"),
        "{ready}"
    );
    std::fs::remove_dir(&data).unwrap();
    std::fs::rename(&elsewhere, &data).unwrap();
    assert!(get(&server.address, "/ready").await.starts_with("HTTP/1.1 200"));
    // Nothing of what was refused has been stored.
    assert_eq!(client.push("4", &[event(2)]).await, accepted());
    client.pull("0", false).await;
    assert_eq!(client.chunk().await, [1, 2]);
    server.kill();
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("was not stored") && log.contains("are back"), "{log}");
}

async fn connect(server: &TestServer, token: &str) -> Client {
    let query = format!("storeId=st&transport=ws&payload=%7B%22token%22:%22{token}%22%7D");
    Client::try_connect(&server.address, &query, "st").await.unwrap()
}

#[tokio::test]
async fn a_token_that_is_removed_ends_its_connections() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokens");
    std::fs::write(&path, "stays * read,write\ngoes * read,write\nshrinks * read,write\n").unwrap();
    let server = TestServer::with(TokenFile::open(&path).unwrap(), Limits::default()).await;
    let (mut stays, mut goes) = (connect(&server, "stays").await, connect(&server, "goes").await);
    let mut shrinks = connect(&server, "shrinks").await;
    for client in [&mut stays, &mut goes, &mut shrinks] {
        client.pull("0", true).await;
        assert_eq!(client.chunk().await, [0; 0]);
    }
    std::fs::write(&path, "stays * read,write\nshrinks * read\n").unwrap();
    let Message::Text(exit) = goes.message().await else { panic!("an exit") };
    assert!(exit.contains("RefusedError") && exit.contains("does not open this store"), "{exit}");
    assert!(goes.closed().await.contains("does not open this store"));
    // Its pull has not failed: it is begun again, with fewer rights.
    assert!(shrinks.closed().await.contains("rights of the token have changed"));
    assert_eq!(stays.push("1", &[event(1)]).await, accepted());
}

#[test]
fn a_file_of_keys_that_cannot_be_used_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("jwks");
    for (keys, found) in [
        (json!([]), "no keys"),
        (json!([{"kty": "EC", "crv": "P-384", "kid": "a"}]), "EC `a`: it is on P-384"),
        (
            json!([{"kty": "EC", "crv": "P-256", "x": "AQAB", "y": "AQAB"}, {"kty": "oct", "k": "AA"}]),
            "EC: `x` or `y` is not as long as those of P-256; oct: only RSA and EC are supported",
        ),
        (json!([{"kty": "EC", "crv": "P-256", "x": "AQAB"}]), "EC: it has no `y`"),
        (json!([{"kty": "EC", "crv": "P-256", "x": "?", "y": "AQAB"}]), "its `x` is not base64url"),
        (json!([{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]), "RSA: it has 24 bits"),
        (json!([{"kty": "RSA", "use": "enc"}]), "RSA: its `use` is not `sig`"),
        (
            json!([{"kty": "RSA", "n": "A".repeat(342), "e": "AQAB", "alg": "PS256"}]),
            "it is for PS256",
        ),
    ] {
        std::fs::write(&path, json!({ "keys": keys }).to_string()).unwrap();
        let error = Jwt::jwks(&path).unwrap_err().to_string();
        assert!(error.contains("no key in it can be used") && error.ends_with(found), "{error}");
    }
}

/// The clock of whoever signs tokens may be a little ahead, or behind.
#[tokio::test]
async fn tokens_from_a_clock_that_differs_are_valid() {
    let server = TestServer::with(Jwt::hs256(b"secret"), Limits::default()).await;
    let hour = Jwt::hs256(b"secret").leeway(Duration::from_secs(3_600));
    let lenient = TestServer::with(hour, Limits::default()).await;
    for (server, ahead, valid_for, is_valid) in [
        (&server, 0, 600, true),
        (&server, 5, 600, true),
        (&server, 300, 600, false),
        (&server, 0, -5, true),
        (&server, 0, -300, false),
        (&lenient, 300, 600, true),
        (&lenient, 0, -300, true),
        (&lenient, 0, -4_000, false),
    ] {
        let now = livestore::now().as_millis() / 1_000;
        let claims = json!({"exp": now + valid_for, "nbf": now + ahead, "stores": "*"});
        let token = crate::auth::sign(&json!({"alg": "HS256"}), &claims, b"secret");
        let query = format!("storeId=st&transport=ws&payload=%7B%22token%22:%22{token}%22%7D");
        let connected = Client::try_connect(&server.address, &query, "st").await;
        assert_eq!(connected.is_ok(), is_valid, "{ahead} s ahead, for {valid_for} s");
    }
}
