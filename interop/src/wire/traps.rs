//! Messages that crash LiveStore's backend, so that no client may send them.

use std::collections::HashSet;

use serde_json::Value;

use super::message;
use crate::Result;

const MOST_EVENTS: usize = 100;
const MOST_BYTES: usize = 900_000;
/// The events that the app declares as client-only, and what its client document makes.
const CLIENT_ONLY: [&str; 3] = ["v1.Noted", "Screen", "ScreenSet"];

/// Whether what a client `sent` on one connection holds none of the traps.
pub(super) fn check(sent: &[u8]) -> Result {
    let mut ids = HashSet::new();
    for bytes in message::messages(sent)? {
        // Half a surrogate pair is nothing that serde_json reads, and no trap.
        let readable = String::from_utf8_lossy(&bytes).replace("\\ud", "\\u0");
        let message = serde_json::from_str(&readable)?;
        check_message(&message, bytes.len(), &mut ids)
            .map_err(|trap| format!("{trap}, in {}", excerpt(&bytes)))?;
    }
    Ok(())
}

fn check_message(
    message: &Value,
    bytes: usize,
    ids: &mut HashSet<String>,
) -> std::result::Result<(), &'static str> {
    if bytes > MOST_BYTES {
        return Err("a message of more than 900,000 bytes");
    }
    if message["_tag"] != "Request" {
        return Ok(());
    }
    // An id that is unique on its connection is unique among the unfinished ones.
    let id = message["id"].as_str().ok_or("a request id that is not a string")?;
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("a request id that is not a number");
    }
    let is_over_http = message["tag"].as_str().is_some_and(|tag| tag.starts_with("SyncHttpRpc."));
    if !ids.insert(id.to_owned()) && !is_over_http {
        return Err("a request id that was used before");
    }
    check_batch(
        message.pointer("/payload/batch").and_then(Value::as_array).map_or(&[], Vec::as_slice),
    )
}

fn check_batch(batch: &[Value]) -> std::result::Result<(), &'static str> {
    if batch.len() > MOST_EVENTS {
        return Err("a push of more than 100 events");
    }
    let mut parent = None;
    for event in batch {
        let seq = event["seqNum"].as_u64().ok_or("a seqNum that is no whole number")?;
        let follows = event["parentSeqNum"].as_u64().ok_or("the parentSeqNum is not a number")?;
        if follows >= seq || parent.is_some_and(|parent| parent != follows) {
            return Err("a batch that does not chain");
        }
        if CLIENT_ONLY.iter().any(|name| event["name"] == *name) {
            return Err("a client-only event");
        }
        parent = Some(seq);
    }
    Ok(())
}

fn excerpt(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(seq: u64, parent: u64) -> Value {
        json!({ "name": "v1.A", "args": {}, "seqNum": seq, "parentSeqNum": parent })
    }

    fn push(id: Value, batch: &[Value]) -> Value {
        json!({ "_tag": "Request", "id": id, "tag": "SyncWsRpc.Push", "payload": { "batch": batch } })
    }

    fn checked(messages: &[Value]) -> std::result::Result<(), &'static str> {
        let mut ids = HashSet::new();
        messages
            .iter()
            .try_for_each(|message| check_message(message, message.to_string().len(), &mut ids))
    }

    #[test]
    fn what_the_backend_survives_passes() {
        let pushes = [
            push("0".into(), &[event(1, 0), event(2, 1)]),
            push("1".into(), &[]),
            json!({ "_tag": "Ack", "requestId": "0" }),
        ];
        assert_eq!(checked(&pushes), Ok(()));
    }

    #[test]
    fn every_trap_is_seen() {
        let noted = json!({ "name": "v1.Noted", "args": {}, "seqNum": 1, "parentSeqNum": 0 });
        let chain: Vec<_> = (0..101).map(|parent| event(parent + 1, parent)).collect();
        let traps: [(&[Value], &str); 8] = [
            (&[push(json!(0), &[])], "a request id that is not a string"),
            (&[push("a".into(), &[])], "a request id that is not a number"),
            (&[push("0".into(), &[]), push("0".into(), &[])], "a request id that was used before"),
            (&[push("0".into(), &chain)], "a push of more than 100 events"),
            (&[push("0".into(), &[event(3, 2), event(7, 5)])], "a batch that does not chain"),
            (&[push("0".into(), &[event(3, 3)])], "a batch that does not chain"),
            (&[push("0".into(), &[noted])], "a client-only event"),
            (&[push("0".into(), &[json!({ "seqNum": 1.5 })])], "a seqNum that is no whole number"),
        ];
        for (messages, trap) in traps {
            assert_eq!(checked(messages), Err(trap));
        }
        let large = json!({ "_tag": "Request", "id": "0", "text": "x".repeat(MOST_BYTES) });
        assert_eq!(checked(&[large]), Err("a message of more than 900,000 bytes"));
    }
}
