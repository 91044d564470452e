use std::time::Duration;

use livestore_server::Limits;
use livestore_server::auth::NoAuth;
use serde_json::json;

use crate::client::{TestServer, accepted, event, push};

#[tokio::test]
async fn everybody_gets_everything_in_order() {
    let server = TestServer::start().await;
    let mut pusher = server.connect("st").await;
    let mut subscribers = Vec::new();
    for n in 0..20_u64 {
        // Each comes at another time, so that stored and live events meet everywhere.
        let mut subscriber = server.connect("st").await;
        subscriber.pull("0", true).await;
        subscribers.push(subscriber);
        for seq in n * 10 + 1..=n * 10 + 10 {
            assert_eq!(pusher.push("1", &[event(seq)]).await, accepted());
        }
    }
    for subscriber in &mut subscribers {
        let mut seen = Vec::new();
        while seen.len() < 200 {
            seen.extend(subscriber.chunk().await);
            subscriber.ack("0").await;
        }
        assert_eq!(seen, (1..=200).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn of_many_pushers_one_gets_each_place() {
    let server = TestServer::start().await;
    let mut writers = Vec::new();
    for _ in 0..8 {
        let mut client = server.connect("st").await;
        writers.push(tokio::spawn(async move {
            let (mut head, mut won) = (0, 0);
            while won < 10 {
                let exit = client.push("1", &[event_of(won, head + 1)]).await;
                if exit == accepted() {
                    (won, head) = (won + 1, head + 1);
                } else {
                    let error = &exit["cause"]["error"];
                    assert_eq!(error["_tag"], "ServerAheadError", "{exit}");
                    head = error["minimumExpectedNum"].as_u64().unwrap();
                }
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let mut reader = server.connect("st").await;
    reader.pull("0", true).await;
    assert_eq!(reader.chunk().await, (1..=80).collect::<Vec<_>>());
}

/// Differs from every other, so that no push is taken for another one's retry.
fn event_of(won: u64, seq: u64) -> serde_json::Value {
    let mut event = event(seq);
    event["args"] = json!({"won": won, "by": format!("{:?}", tokio::task::id())});
    event
}

#[tokio::test]
async fn both_dialects_share_a_store() {
    let server = TestServer::start().await;
    let (mut nested, mut flat) = (server.connect("st").await, server.connect("st").await);
    let mut request = push("7", "st", &[event(5)]);
    nested.send(&request).await;
    assert!(nested.receive().await["exit"]["cause"]["error"].is_object());
    request["id"] = json!(7);
    flat.send(&request).await;
    let answer = flat.receive().await;
    assert_eq!(answer["requestId"], json!(7));
    assert_eq!(answer["exit"]["cause"][0]["error"]["minimumExpectedNum"], json!(0));
}

#[tokio::test]
async fn a_subscriber_that_does_not_read_is_cut_and_others_go_on() {
    const EVENTS: u64 = 1_300;
    let mut limits = Limits::default();
    limits.send = Duration::from_secs(2);
    let server = TestServer::with(NoAuth, limits).await;
    let (mut pusher, mut slow) = (server.connect("st").await, server.connect("st").await);
    let mut reader = server.connect("st").await;
    for subscriber in [&mut slow, &mut reader] {
        subscriber.pull("0", true).await;
        assert_eq!(subscriber.chunk().await, Vec::<u64>::new());
    }
    // Together more than the buffers of its socket hold; each so small that a slow link has no more time.
    let mut large = event(1);
    large["args"] = json!({"text": "x".repeat(15_000)});
    for seq in 1..=EVENTS {
        (large["seqNum"], large["parentSeqNum"]) = (json!(seq), json!(seq - 1));
        assert_eq!(pusher.push("1", &[large.clone()]).await, accepted());
        assert_eq!(reader.chunk().await, [seq]);
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let ended = slow.closed().await;
    assert!(!ended.contains("Elapsed"), "{ended}");
    let metrics = server.get("/metrics").await;
    assert!(metrics.contains("\nlivestore_cut_total 1\n"), "{metrics}");
    let mut back = server.connect("st").await;
    back.pull("0", false).await;
    let mut seen = Vec::new();
    while seen.len() < EVENTS as usize {
        seen.extend(back.chunk().await);
        back.ack("0").await;
    }
    assert_eq!(seen, (1..=EVENTS).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_stopping_server_says_goodbye() {
    let mut server = TestServer::start().await;
    let mut client = server.connect("st").await;
    client.pull("0", true).await;
    client.chunk().await;
    client.send(push("1", "st", &[event(1)])).await;
    let (ended, ()) = tokio::join!(client.closed(), server.stop());
    assert_eq!(ended, "1001 the server is stopping");
    assert!(tokio::net::TcpStream::connect(&server.address).await.is_err());
}
