//! Every frame that the real client and the real backend were seen to exchange.

#![allow(
    missing_docs,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test, not an API"
)]

use std::path::{Path, PathBuf};

use livestore_protocol::{ClientMessage, ConnectQuery, ServerMessage, Transport, WireError};
use serde_json::Value;

/// The captures, or nothing (said aloud) where `shared` is not beside the repository.
fn captures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/protocol/captures");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: {} is not there", folder.display());
        return Vec::new();
    };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

#[test]
fn every_captured_frame_is_understood_and_said_again() {
    let mut counts = Counts::default();
    for file in captures() {
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            check_line(&serde_json::from_str(line).unwrap(), &mut counts);
        }
    }
    eprintln!("{counts:?}");
}

#[derive(Debug, Default)]
struct Counts {
    client: usize,
    server: usize,
    malformed: usize,
    cut: usize,
    queries: usize,
}

fn check_line(line: &Value, counts: &mut Counts) {
    let transport = if line["kind"].as_str().is_some_and(|kind| kind.starts_with("http")) {
        Transport::Http
    } else {
        Transport::WebSocket
    };
    if let Some(url) = line["url"].as_str() {
        check_url(url, counts);
    }
    if let Some(text) = line["body"].as_str().filter(|_| transport == Transport::Http) {
        check_client(text, transport, counts);
    }
    if let Some(text) = line["data"].as_str() {
        match line["dir"].as_str() {
            Some("c2s") => check_client(text, transport, counts),
            _ => check_server(text, counts),
        }
    }
    for text in line["sent"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        check_client(text.strip_prefix("binary:").unwrap_or(text), transport, counts);
    }
    for text in line["got"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        check_server(text, counts);
    }
}

fn check_url(url: &str, counts: &mut Counts) {
    let query = ConnectQuery::decode(url.split_once('?').unwrap().1).unwrap();
    assert_eq!(ConnectQuery::decode(&query.encode()), Ok(query));
    counts.queries += 1;
}

fn check_client(text: &str, transport: Transport, counts: &mut Counts) {
    match ClientMessage::decode(text) {
        Ok(message) => {
            let mut again = String::new();
            message.encode(transport, &mut again);
            let again: Value = serde_json::from_str(&again).unwrap();
            assert_eq!(again, essence_of_client(serde_json::from_str(text).unwrap()), "{text}");
            counts.client += 1;
        }
        Err(_) if is_cut(text) => counts.cut += 1,
        Err(error) => {
            check_error(text, &error);
            counts.malformed += 1;
        }
    }
}

/// The captures of what the backend did with bad messages.
fn check_error(text: &str, error: &WireError) {
    match error {
        WireError::Malformed(_) => {
            assert!(text.starts_with("{nope") || text.starts_with('['), "{error}: {text}");
        }
        WireError::UnknownTag { tag, .. } => {
            assert!(["SyncWsRpc.Nope", "Nope", "Whatever"].contains(&&**tag), "{error}: {text}");
        }
        WireError::Unfit { problem, .. } => {
            let expected = ["missing field `seqNum`", "11.5"];
            assert!(expected.iter().any(|part| problem.contains(part)), "{error}: {text}");
        }
        other => panic!("{other}: {text}"),
    }
}

fn check_server(text: &str, counts: &mut Counts) {
    let messages = match ServerMessage::decode_all(text) {
        Ok(messages) => messages,
        Err(_) if is_cut(text) => return counts.cut += 1,
        Err(error) => panic!("{error}: {text}"),
    };
    let mut again = String::new();
    if text.starts_with('[') {
        ServerMessage::encode_all(&messages, &mut again);
    } else {
        messages.iter().for_each(|message| message.encode(&mut again));
    }
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!(again, essence_of_server(serde_json::from_str(text).unwrap()), "{text}");
    counts.server += 1;
}

/// Long frames were cut when they were captured.
fn is_cut(text: &str) -> bool {
    text.contains('…') && text.len() < 1000
}

/// A client's message without what means nothing.
fn essence_of_client(mut message: Value) -> Value {
    for noise in ["traceId", "spanId", "sampled"] {
        message.as_object_mut().unwrap().remove(noise);
    }
    if message["_tag"] == "Request" {
        message["headers"] = Value::Array(Vec::new());
    }
    let batch = message.pointer_mut("/payload/batch").and_then(Value::as_array_mut);
    for event in batch.into_iter().flatten() {
        let event = event.as_object_mut().unwrap();
        event.retain(|key, _| {
            ["name", "args", "seqNum", "parentSeqNum", "clientId", "sessionId"].contains(&&**key)
        });
    }
    message
}

/// A backend's message without the details of causes that are not kept.
fn essence_of_server(mut message: Value) -> Value {
    if let Value::Array(messages) = message {
        return messages.into_iter().map(essence_of_server).collect();
    }
    if let Some(defect) = message.get("defect").and_then(|d| d.get("message")).cloned() {
        message["defect"] = defect;
    }
    let cause = message.pointer_mut("/exit/cause");
    if let Some(cause) = cause {
        if cause["_tag"] == "Sequential" {
            *cause = serde_json::json!({"_tag": "Interrupt", "fiberId": {"_tag": "None"}});
        } else if cause["error"]["_tag"] == "UnknownError" {
            let error = cause["error"].as_object_mut().unwrap();
            error.remove("payload");
            let inner = &mut error["cause"];
            if inner["name"] != "Error" {
                let (name, text) = (inner["name"].as_str().unwrap(), inner["message"].as_str());
                let text = format!("{name}: {}", text.unwrap());
                *inner = serde_json::json!({"name": "Error", "message": text});
            }
        }
    }
    message
}
