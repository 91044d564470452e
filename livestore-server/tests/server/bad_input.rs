use std::time::Duration;

use futures_util::SinkExt;
use livestore_server::Limits;
use livestore_server::auth::NoAuth;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Client, PATIENCE, TestServer, accepted, event, pull, push};

#[tokio::test]
async fn every_bad_frame_is_answered_and_the_socket_serves_on() {
    let server = TestServer::start().await;
    let mut client = server.connect("st").await;
    let unchained = json!([event(1), event(7)]);
    let mut fractional = event(1);
    fractional["seqNum"] = json!(1.5);
    let cases = [
        ("{nope".to_owned(), "Defect"),
        ("[".repeat(200_000), "Defect"),
        ("null".to_owned(), "Defect"),
        (
            json!({"_tag": "Request", "id": "1", "tag": "SyncWsRpc.Nope", "payload": {}})
                .to_string(),
            "Unknown request tag: SyncWsRpc.Nope",
        ),
        (json!({"_tag": "Nope"}).to_string(), "Unknown request tag: Nope"),
        (
            json!({"_tag": "Request", "id": "1", "tag": "SyncWsRpc.Pull", "payload": 7})
                .to_string(),
            "Die",
        ),
        (push("1", "st", &[json!({"name": "x"})]).to_string(), "Die"),
        (push("1", "st", unchained.as_array().unwrap()).to_string(), "does not follow"),
        (push("1", "st", &[fractional]).to_string(), "Die"),
        (push("1", "st", &[event(9)]).to_string(), "ServerAheadError"),
        (push("1", "other", &[event(1)]).to_string(), "this connection is to the store"),
        (
            push("1", "st", &[event(1)])
                .to_string()
                .replace(r#"{"_tag":"None"}"#, r#"{"_tag":"Some","value":"x"}"#),
            "BackendIdMismatchError",
        ),
    ];
    for (frame, expected) in cases {
        let start: String = frame.chars().take(80).collect();
        client.send(&frame).await;
        let answer = client.receive().await.to_string();
        assert!(answer.contains(expected), "{start}: {answer}");
        client.assert_serves().await;
    }
    assert_eq!(client.push("1", &[event(1)]).await, accepted(), "and nothing was stored");
}

#[tokio::test]
async fn a_repeated_request_id_is_answered() {
    let server = TestServer::start().await;
    let mut client = server.connect("st").await;
    client.pull("1", true).await;
    client.chunk().await;
    client.pull("1", true).await;
    let answer = client.receive().await.to_string();
    assert!(answer.contains("request id 1 was in use"), "{answer}");
    client.assert_serves().await;
}

#[tokio::test]
async fn a_huge_frame_is_cut_off_with_a_reason() {
    let server = TestServer::start().await;
    let mut client = server.connect("st").await;
    let frame = Message::text("x".repeat(100_000_000));
    // The server closes while the frame is on its way.
    let _ = timeout(PATIENCE, client.socket.send(frame)).await.unwrap();
    let ended = client.closed().await;
    assert!(
        ended.starts_with("1009 a message may have at most 1048576 bytes")
            || ended.contains("reset"),
        "{ended}"
    );
    server.connect("st").await.assert_serves().await;
}

#[tokio::test]
async fn a_frame_a_little_too_large_is_told_so() {
    let server = TestServer::start().await;
    let mut client = server.connect("st").await;
    client.socket.send(Message::text("x".repeat((1 << 20) + 1))).await.unwrap();
    assert_eq!(client.closed().await, "1009 a message may have at most 1048576 bytes");
}

#[tokio::test]
async fn binary_frames_are_read_as_text() {
    let server = TestServer::start().await;
    let mut client = server.connect("st").await;
    let frame = pull("1", "st", false).to_string().into_bytes();
    client.socket.send(Message::binary(frame)).await.unwrap();
    assert_eq!(client.chunk().await, Vec::<u64>::new());
    client.socket.send(Message::binary(vec![0xff])).await.unwrap();
    assert_eq!(client.closed().await, "1007 not UTF-8");
}

#[tokio::test]
async fn a_slow_head_is_not_waited_for() {
    let mut limits = Limits::default();
    limits.handshake = Duration::from_secs(2);
    let server = TestServer::with(NoAuth, limits).await;
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    timeout(PATIENCE, read).await.expect("the server hangs up").unwrap();
    let slow_body = "POST /?storeId=a&transport=http HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 9\r\n\r\n{";
    let answer = server.raw(slow_body).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn a_silent_client_is_asked_and_then_cut_off() {
    let mut limits = Limits::default();
    limits.idle = Duration::from_secs(2);
    let server = TestServer::with(NoAuth, limits).await;
    let mut client = server.connect("st").await;
    // Whoever reads answers the server's pings, and stays.
    assert!(timeout(Duration::from_secs(5), client.message()).await.is_err());
    client.assert_serves().await;
    // Whoever does not read does not answer either.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(client.closed().await, "1008 the client does not answer pings");
}

#[tokio::test]
async fn a_hasty_client_is_read_more_slowly() {
    let mut limits = Limits::default();
    limits.messages_per_second = 20;
    let server = TestServer::with(NoAuth, limits).await;
    let mut client = server.connect("st").await;
    let begun = std::time::Instant::now();
    for _ in 0..40 {
        client.send(json!({"_tag": "Ping"})).await;
    }
    for _ in 0..40 {
        assert_eq!(client.receive().await, json!({"_tag": "Pong"}));
    }
    assert!(begun.elapsed() > Duration::from_millis(900), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn connections_are_bounded() {
    let mut limits = Limits::default();
    limits.connections = 2;
    let server = TestServer::with(NoAuth, limits).await;
    let first = server.connect("st").await;
    let mut second = server.connect("st").await;
    let refused = server.get("/health").await;
    assert!(refused.starts_with("HTTP/1.1 503") && refused.ends_with("too many connections"));
    second.assert_serves().await;
    drop(first);
    let back = async {
        while server.get("/health").await.starts_with("HTTP/1.1 503") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, back).await.expect("a seat is given back");
}

#[tokio::test]
async fn store_ids_may_be_any_text() {
    let server = TestServer::start().await;
    let ids = [
        "a%2Fb",
        "a%5Cb",
        "a_b",
        "a-b",
        "..%2F..%2Fetc",
        "%00",
        "%F0%9F%98%80",
        "'%3B%20DROP%20TABLE%20events",
    ];
    let mut backend_ids = std::collections::BTreeSet::new();
    for encoded in ids {
        let bytes = percent_decode(encoded);
        let query = format!("storeId={encoded}&transport=ws");
        let mut client = Client::try_connect(&server.address, &query, &bytes).await.unwrap();
        assert_eq!(client.push("1", &[event(1)]).await, accepted(), "{encoded}");
        client.pull("2", false).await;
        let chunk = client.receive().await;
        backend_ids.insert(chunk["values"][0]["backendId"].to_string());
    }
    assert_eq!(backend_ids.len(), ids.len());
    for (encoded, status) in [("%FF%FE", "200"), ("", "400"), (&*"x".repeat(513), "400")] {
        let answer = server.get(&format!("/?storeId={encoded}&transport=ws")).await;
        let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
        let request = format!(
            "GET /?storeId={encoded}&transport=ws HTTP/1.1\r\nhost: x\r\n{upgrade}\r\n\r\n"
        );
        assert!(!answer.starts_with("HTTP/1.1 101"));
        let mut stream = TcpStream::connect(&server.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = [0; 12];
        stream.read_exact(&mut head).await.unwrap();
        assert_eq!(head, *format!("HTTP/1.1 {status}").as_bytes(), "{encoded}");
    }
}

fn percent_decode(text: &str) -> String {
    let value: Value = json!(text);
    let mut bytes = Vec::new();
    let mut rest = value.as_str().unwrap();
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend(before.bytes());
        bytes.push(u8::from_str_radix(&after[..2], 16).unwrap());
        rest = &after[2..];
    }
    bytes.extend(rest.bytes());
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn stores_are_bounded() {
    let server = TestServer::start().await;
    for n in 0..100 {
        server.connect(&format!("s{n}")).await;
    }
    let refused = Client::try_connect(&server.address, "storeId=one-more&transport=ws", "").await;
    assert!(
        matches!(refused, Err(tokio_tungstenite::tungstenite::Error::Http(response)) if response.status() == 503)
    );
    server.connect("s0").await.assert_serves().await;
}
