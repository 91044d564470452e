//! The schema lock, and the wire.

use std::fs;

use livestore_protocol::{ClientMessage, ServerMessage, Transport};
use livestore_shape::{ItemKind, Lock};

use crate::{FIRST, golden};

fn read(file: &str) -> String {
    fs::read_to_string(golden(FIRST).join(file)).unwrap()
}

#[test]
fn the_lock_is_read_and_written() {
    let text = read("livestore.lock");
    let lock = Lock::parse(&text).unwrap();
    let names = |kind| lock.of(kind).map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(ItemKind::Event), ["v1.Noted", "v1.Seen"]);
    assert_eq!(names(ItemKind::Type), ["File"]);
    assert_eq!(names(ItemKind::Table), ["note"]);
    assert_eq!(names(ItemKind::Schema), ["App"]);
    let noted = lock.get(ItemKind::Event, "v1.Noted").unwrap();
    assert_eq!(noted.head.text, "NoteEvent::Noted");
    assert!(noted.parts["weight"].is("optional"));
    assert_eq!(noted.parts["files"].text, "Vec<File>");
    assert!(lock.get(ItemKind::Event, "v1.Seen").unwrap().head.is("client-only"));
    assert_eq!(lock.to_string(), text);
}

/// What each line is, and that it is written as it was.
#[test]
fn what_clients_send_is_read_and_written() {
    let table = [
        ("Ping", ""),
        ("Request", "Pull"),
        ("Request", "Pull"),
        ("Request", "Push"),
        ("Ack", ""),
        ("Interrupt", ""),
        ("Eof", ""),
    ];
    let text = read("client.jsonl");
    assert_eq!(text.lines().count(), table.len());
    for (line, (kind, call)) in text.lines().zip(table) {
        let message = ClientMessage::decode(line).unwrap();
        let shown = format!("{message:?}");
        assert!(shown.starts_with(kind) && shown.contains(call), "{shown}");
        let mut again = String::new();
        message.encode(Transport::WebSocket, &mut again);
        assert_eq!(again, line);
    }
}

#[test]
fn what_servers_send_is_read_and_written() {
    let table = [
        ("Pong", ""),
        ("Chunk", "more: Known(1)"),
        ("Chunk", "more: No"),
        ("Exit", "PullDone"),
        ("Exit", "PushDone"),
        ("Exit", "ServerAhead { head: 2, parent: 0 }"),
        ("Exit", "ServerAhead { head: 2, parent: 0 }"),
        ("Exit", "BackendIdMismatch"),
        ("Exit", "Refused(\"no\")"),
        ("Exit", "Invalid(\"odd\")"),
        ("Exit", "Interrupted"),
        ("Exit", "Interrupted"),
        ("Defect", "odd"),
    ];
    let text = read("server.jsonl");
    assert_eq!(text.lines().count(), table.len());
    for (line, (kind, what)) in text.lines().zip(table) {
        let message = ServerMessage::decode(line).unwrap();
        let shown = format!("{message:?}");
        assert!(shown.starts_with(kind) && shown.contains(what), "{shown}");
        let mut again = String::new();
        message.encode(&mut again);
        assert_eq!(again, line);
    }
}
