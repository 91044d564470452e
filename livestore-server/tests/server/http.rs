use std::time::Duration;

use livestore_server::Limits;
use livestore_server::auth::NoAuth;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::client::{PATIENCE, TestServer, accepted, event, pull, push, seqs};

fn body(answer: &str) -> Vec<Value> {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    if !head.contains("transfer-encoding: chunked") {
        return serde_json::from_str(body).unwrap();
    }
    let (mut rest, mut joined) = (body, String::new());
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        joined.push_str(&after[..size]);
        rest = after[size..].trim_start_matches("\r\n");
    }
    serde_json::from_str(&joined).unwrap()
}

fn over_http(frame: &Value) -> String {
    frame.to_string().replace("SyncWsRpc", "SyncHttpRpc")
}

const QUERY: &str = "storeId=st&transport=http";

#[tokio::test]
async fn requests_are_answered_with_arrays() {
    let server = TestServer::start().await;
    let ping = json!({"_tag": "Request", "id": "0", "tag": "SyncHttpRpc.Ping", "headers": [],
        "payload": {"storeId": "st"}});
    let pong = json!([{"_tag": "Exit", "requestId": "0",
        "exit": {"_tag": "Success", "value": {"_tag": "SyncMessage.Pong"}}}]);
    assert_eq!(json!(body(&server.post(QUERY, &ping.to_string()).await)), pong);
    let push = over_http(&push("1", "st", &[event(1), event(2)]));
    for _ in 0..2 {
        let answer = body(&server.post(QUERY, &push).await);
        assert_eq!(answer, [json!({"_tag": "Exit", "requestId": "1", "exit": accepted()})]);
    }
    let answer = body(&server.post(QUERY, &over_http(&pull("2", "st", true))).await);
    assert_eq!((answer.len(), seqs(&answer[0])), (2, vec![1, 2]));
    assert_eq!(answer[1], json!({"_tag": "Exit", "requestId": "2", "exit": {"_tag": "Success"}}));
    let defect = body(&server.post(QUERY, "{nope").await);
    assert_eq!(defect[0]["_tag"], "Defect");
    assert_eq!(body(&server.post(QUERY, r#"{"_tag":"Eof"}"#).await), Vec::<Value>::new());
}

#[tokio::test]
async fn a_long_pull_is_one_answer_of_many_chunks() {
    let server = TestServer::start().await;
    let mut client = server.connect("st").await;
    for first in (1..1_000).step_by(100) {
        let batch: Vec<_> = (first..first + 100).map(event).collect();
        assert_eq!(client.push("1", &batch).await, accepted());
    }
    let answer = body(&server.post(QUERY, &over_http(&pull("2", "st", false))).await);
    assert_eq!(answer.len(), 11);
    let all: Vec<_> = answer[..10].iter().flat_map(seqs).collect();
    assert_eq!(all, (1..=1_000).collect::<Vec<_>>());
    assert_eq!(answer[0]["values"][0]["pageInfo"], json!({"_tag": "MoreKnown", "remaining": 900}));
    assert_eq!(answer[9]["values"][0]["pageInfo"], json!({"_tag": "NoMore"}));
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answer_is_cut_off() {
    let mut limits = Limits::default();
    limits.send = Duration::from_secs(2);
    let server = TestServer::with(NoAuth, limits).await;
    let mut pusher = server.connect("st").await;
    // More than the buffers of its socket hold.
    let mut large = event(1);
    large["args"] = json!({"text": "x".repeat(500_000)});
    for seq in 1..=40 {
        (large["seqNum"], large["parentSeqNum"]) = (json!(seq), json!(seq - 1));
        assert_eq!(pusher.push("1", &[large.clone()]).await, accepted());
    }
    let pull = over_http(&pull("2", "st", false));
    let request = format!(
        "POST /?{QUERY} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{pull}",
        pull.len()
    );
    let mut slow = TcpStream::connect(&server.address).await.unwrap();
    slow.write_all(request.as_bytes()).await.unwrap();
    sleep(Duration::from_secs(5)).await;
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, slow.read_to_end(&mut answer)).await.unwrap();
    assert!(answer.len() < 20_000_000 && !answer.ends_with(b"0\r\n\r\n"), "{read:?}");
    assert!(server.post(QUERY, &pull).await.len() > 20_000_000);
}

#[tokio::test]
async fn other_requests_are_answered_as_livestore_does() {
    let server = TestServer::start().await;
    let cases = [
        ("/", "HTTP/1.1 200", "Info: sync backend endpoint"),
        ("/any/path?storeId=a", "HTTP/1.1 200", "transport is missing"),
        ("/?storeId=a&transport=nope", "HTTP/1.1 200", "not `ws` or `http`"),
        ("/?storeId=a&transport=ws", "HTTP/1.1 426", "needs a WebSocket upgrade"),
        ("/?storeId=a&transport=http", "HTTP/1.1 405", "POST"),
        ("/health", "HTTP/1.1 200", "ok"),
        ("/ready", "HTTP/1.1 200", "ready"),
        ("/metrics", "HTTP/1.1 200", "# TYPE livestore_connections gauge"),
    ];
    for (path, status, text) in cases {
        let answer = server.get(path).await;
        assert!(answer.starts_with(status) && answer.contains(text), "{path}: {answer}");
    }
    let large = "x".repeat((1 << 20) + 1);
    assert!(server.post(QUERY, &large).await.starts_with("HTTP/1.1 413"));
}

#[tokio::test]
async fn what_its_head_shows_to_be_in_vain_is_not_waited_for() {
    let server = TestServer::start().await;
    let request = |header: &str| {
        format!("POST /?{QUERY} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{header}\r\n\r\n")
    };
    for (header, status, reason) in [
        ("content-length: 1048577", "413", "a request may have at most 1048576 bytes"),
        (
            "content-length: 9\r\ncontent-encoding: gzip",
            "415",
            "send it without a content-encoding",
        ),
    ] {
        let answer = server.raw(&request(header)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        assert!(answer.contains(reason), "{answer}");
    }
    let query = "storeId=a&storeId=b&transport=http";
    assert!(server.post(query, "").await.contains("storeId is given twice"));
}

#[tokio::test]
async fn browsers_may_ask() {
    let server = TestServer::start().await;
    let request = "OPTIONS /?storeId=a&transport=http HTTP/1.1\r\nhost: x\r\norigin: http://app\r\nconnection: close\r\n\r\n";
    let answer = server.raw(request).await;
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    assert!(answer.contains("access-control-allow-origin: *"), "{answer}");
}
