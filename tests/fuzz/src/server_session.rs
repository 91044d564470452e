use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, mpsc};

use livestore::Timestamp;
use livestore_protocol::{
    ClientMessage, MAX_BYTES, MAX_EVENTS, RequestId, ServerMessage, Transport, WireError,
};
use livestore_server::auth::Rights;
use livestore_server::internal::{Effect, Hub, Room, Session};
use livestore_server::store::{EventStore, MemoryStore, Reply, StoreError, StoreId, StoreLimits};

use crate::bytes::Bytes;

/// A byte of circumstances, and lines: what a client sends. `$B` is the backend's id.
///
/// The server answers with messages only, each request at most once, in pages that are not too
/// large; its log has no hole; and a message that is understood is written as one that is
/// understood the same.
pub fn server_session(bytes: &[u8]) {
    let mut bytes = Bytes(bytes);
    let Circumstances { transport, rights, is_slow } = Circumstances::of(bytes.byte());
    let Ok(text) = std::str::from_utf8(bytes.0) else { return };
    let store = Arc::new(MemoryStore::new(StoreLimits { stores: 1, bytes: 10_000 }));
    let hub = Hub::new(Arc::clone(&store) as Arc<dyn EventStore>);
    let id = StoreId::new("st").unwrap();
    let room = ask(|reply| hub.enter(&id, reply)).unwrap();
    let mut session = Session::new(Arc::clone(&room), transport, rights);
    let mut sent = Vec::new();
    let frames: Vec<_> = text.lines().map(|line| line.replace("$B", room.backend_id())).collect();
    for frame in &frames {
        session.receive(frame, Timestamp::default());
        if !is_slow {
            carry_out(&mut session, &room, &mut sent);
        }
    }
    carry_out(&mut session, &room, &mut sent);
    check_sent(&sent, &asked(&frames));
    check_log(&store, &id, room.head());
}

struct Circumstances {
    transport: Transport,
    rights: Rights,
    /// Nothing is carried out before all has come.
    is_slow: bool,
}

impl Circumstances {
    fn of(byte: u8) -> Self {
        let is = |bit: u8| byte & (1 << bit) != 0;
        Self {
            transport: if is(0) { Transport::Http } else { Transport::WebSocket },
            rights: Rights { read: !is(1), write: !is(2) },
            is_slow: is(3),
        }
    }
}

fn carry_out(session: &mut Session, room: &Arc<Room>, sent: &mut Vec<String>) {
    while let Some(effect) = session.next_effect() {
        match effect {
            Effect::Send(frame) => sent.push(frame),
            Effect::Append { ticket, batch } => {
                let appended = ask(|reply| room.append(batch, reply));
                session.pushed(ticket, appended);
            }
            Effect::Compare { ticket, batch } => session.compared(ticket, room.has(&batch)),
            Effect::Read { ticket, after, max_bytes } => {
                session.read(ticket, room.read(after, max_bytes));
            }
            Effect::Close(_) => {}
        }
    }
}

fn ask<T: Send + 'static>(question: impl FnOnce(Reply<T>)) -> Result<T, StoreError> {
    let (sender, answer) = mpsc::channel();
    question(Box::new(move |result| drop(sender.send(result))));
    answer.recv().unwrap()
}

/// How often each request id was used.
fn asked(frames: &[String]) -> BTreeMap<RequestId, usize> {
    let mut asked = BTreeMap::new();
    for frame in frames {
        let id = match ClientMessage::decode(frame) {
            Ok(message) => {
                let mut again = String::new();
                message.encode(Transport::WebSocket, &mut again);
                assert_eq!(ClientMessage::decode(&again).as_ref(), Ok(&message), "{again}");
                let ClientMessage::Request(request) = message else { continue };
                request.id
            }
            Err(WireError::Unfit { request_id, .. }) => request_id,
            Err(_) => continue,
        };
        *asked.entry(id).or_default() += 1;
    }
    asked
}

fn check_sent(sent: &[String], asked: &BTreeMap<RequestId, usize>) {
    let mut exits = BTreeMap::<_, usize>::new();
    for frame in sent {
        match ServerMessage::decode(frame).unwrap() {
            ServerMessage::Exit { request_id, .. } => *exits.entry(request_id).or_default() += 1,
            ServerMessage::Chunk { request_id, pages } => {
                assert!(asked.contains_key(&request_id), "nobody asked for {frame}");
                let is_one = pages.iter().all(|page| page.events.len() <= 1);
                assert!(is_one || frame.len() <= MAX_BYTES);
                assert!(pages.iter().all(|page| page.events.len() <= MAX_EVENTS));
            }
            ServerMessage::Pong | ServerMessage::Defect(_) => {}
        }
    }
    for (id, exits) in &exits {
        assert!(Some(exits) <= asked.get(id), "{exits} answers to {id}: {sent:?}");
    }
}

fn check_log(store: &MemoryStore, id: &StoreId, head: u64) {
    let mut last = 0;
    let mut visit = |stored: livestore_server::store::StoredEvent| {
        let event = stored.event();
        assert_eq!((event.parent, event.seq), (last, last + 1));
        last = event.seq;
        ControlFlow::Continue(())
    };
    store.read(id, 0, &mut visit).unwrap();
    assert_eq!(last, head);
}
