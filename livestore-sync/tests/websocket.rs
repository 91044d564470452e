//! The WebSocket backend against servers that follow a script.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test, not an API"
)]
#![expect(clippy::disallowed_methods, reason = "a server needs a thread")]

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use livestore::sync::{BackendMessage, ConnectRequest, MessageSender, SyncBackend, SyncError};
use livestore_protocol::{
    Call, ClientMessage, ConnectQuery, Exit, RequestId, ServerMessage, Transport,
};
use livestore_sync::{Conversation, WebSocket};
use support::{Store, event};
use tokio_tungstenite::tungstenite::{self, Message};

const EMPTY_PAGE: &str = r#"{"batch":[],"pageInfo":{"_tag":"NoMore"},"backendId":"b1"}"#;

/// A server's end of the one connection it takes.
struct Peer(tungstenite::WebSocket<TcpStream>);

impl Peer {
    fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).unwrap();
    }

    fn chunk(&mut self, id: &str) {
        self.say(&format!(r#"{{"_tag":"Chunk","requestId":"{id}","values":[{EMPTY_PAGE}]}}"#));
    }

    fn exit(&mut self, id: u64, exit: Exit) {
        let mut text = String::new();
        ServerMessage::Exit { request_id: RequestId::nth(id), exit }.encode(&mut text);
        self.say(&text);
    }

    /// What the client says next, pings apart; nothing when it has closed.
    fn hear(&mut self) -> Option<ClientMessage> {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => match ClientMessage::decode(&text).unwrap() {
                    ClientMessage::Ping => self.say(r#"{"_tag":"Pong"}"#),
                    message => return Some(message),
                },
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    fn hear_request(&mut self) -> (RequestId, Call) {
        match self.hear() {
            Some(ClientMessage::Request(request)) => (request.id, request.call),
            other => panic!("{other:?} instead of a request"),
        }
    }
}

/// A backend whose one connection is served by `script`; what the script returns is sent on.
fn serve<T: Send + 'static>(
    script: impl FnOnce(Peer) -> T + Send + 'static,
) -> (WebSocket, Receiver<T>) {
    serve_raw(|stream| script(Peer(tungstenite::accept(stream).unwrap())))
}

fn serve_raw<T: Send + 'static>(
    script: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (WebSocket, Receiver<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let backend = WebSocket::new(format!("ws://{}", listener.local_addr().unwrap()));
    let (sender, result) = channel();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        // The test may have ended.
        let _ = sender.send(script(stream));
    });
    (backend, result)
}

fn result<T>(receiver: &Receiver<T>) -> T {
    receiver.recv_timeout(Duration::from_secs(120)).unwrap()
}

#[test]
fn pulls_and_pushes_go_their_way() {
    let (backend, served) = serve(|mut peer| {
        let pull = peer.hear_request();
        peer.chunk("0");
        let ack = peer.hear();
        let push = peer.hear_request();
        peer.exit(1, Exit::PushDone);
        (pull, ack, push, peer.hear())
    });
    let mut store = Store::connect(&backend, Some(r#"{"t":1}"#));
    assert_eq!(store.next(), BackendMessage::Connected);
    store.link().pull(None);
    assert_eq!(store.next_page().backend_id, "b1");
    store.link().push(vec![event(1, "{}")], Some("b1".to_owned()));
    assert_eq!(store.next(), BackendMessage::Pushed);
    drop(store.link.take());
    store.expect_end();

    let ((pull_id, pull), ack, (push_id, push), end) = result(&served);
    assert_eq!((pull_id.clone(), push_id), (RequestId::nth(0), RequestId::nth(1)));
    let Call::Pull(pull) = pull else { panic!("{pull:?}") };
    assert_eq!((pull.live, pull.cursor, &*pull.store_id), (true, None, "st1"));
    assert_eq!(pull.payload, Some(r#"{"t":1}"#.into()));
    assert_eq!(ack, Some(ClientMessage::Ack(pull_id)));
    let Call::Push(push) = push else { panic!("{push:?}") };
    assert_eq!(push.batch, [event(1, "{}")]);
    assert_eq!(push.backend_id.as_deref(), Some("b1"));
    assert_eq!(end, None);
}

#[test]
fn the_url_carries_store_transport_and_payload() {
    let (backend, served) = serve_raw(|mut stream| {
        let mut head = [0; 2048];
        let size = stream.read(&mut head).unwrap();
        String::from_utf8(head[..size].to_vec()).unwrap()
    });
    let store = Store::connect_to(&backend.header("x-app", "todo"), "a b&c", Some(r#"{"t":"é%"}"#));
    let head = result(&served);
    store.next_lost();
    let target = head.split(' ').nth(1).unwrap();
    let query = ConnectQuery {
        store_id: "a b&c".to_owned(),
        transport: Transport::WebSocket,
        payload: Some(r#"{"t":"é%"}"#.into()),
    };
    assert_eq!(ConnectQuery::decode(target.strip_prefix("/?").unwrap()), Ok(query));
    assert!(head.contains("x-app: todo"), "{head}");
}

#[test]
fn every_chunk_of_the_pull_is_acked_and_others_are_ignored() {
    let (backend, served) = serve(|mut peer| {
        peer.hear_request();
        peer.chunk("7");
        peer.exit(7, Exit::PullDone);
        peer.say(r#"{"_tag":"Chunk","requestId":"7","values":"odd"}"#);
        peer.chunk("0");
        let first = peer.hear();
        peer.chunk("0");
        (first, peer.hear())
    });
    let mut store = Store::connect(&backend, None);
    assert_eq!(store.next(), BackendMessage::Connected);
    store.link().pull(None);
    store.next_page();
    store.next_page();
    let ack = Some(ClientMessage::Ack(RequestId::nth(0)));
    assert_eq!(result(&served), (ack.clone(), ack));
    store.next_lost();
}

#[test]
fn failed_pushes_say_why_and_the_link_goes_on() {
    let failures = [
        SyncError::ServerAhead { head: 2, parent: 0 },
        SyncError::BackendIdMismatch { expected: "b1".into(), received: "b0".into() },
        SyncError::Failed("disk full".into()),
        SyncError::Refused("read only".into()),
        SyncError::Invalid("seqNum is missing".into()),
    ];
    let script = failures.clone();
    let (backend, _served) = serve(|mut peer| {
        for (id, failure) in (0..).zip(script) {
            peer.hear_request();
            peer.exit(id, Exit::Failure(failure));
        }
        peer.hear()
    });
    let mut store = Store::connect(&backend, None);
    assert_eq!(store.next(), BackendMessage::Connected);
    for failure in failures {
        store.link().push(vec![event(1, "{}")], None);
        assert_eq!(store.next(), BackendMessage::PushFailed(failure));
    }
    store.expect_silence();
}

#[test]
fn a_failed_pull_ends_the_link() {
    let failure = SyncError::BackendIdMismatch { expected: "b1".into(), received: "b0".into() };
    let exit = Exit::Failure(failure.clone());
    let (backend, served) = serve(|mut peer| {
        peer.hear_request();
        peer.exit(0, exit);
        peer.hear()
    });
    let mut store = Store::connect(&backend, None);
    assert_eq!(store.next(), BackendMessage::Connected);
    store.link().pull(None);
    assert_eq!(store.next(), BackendMessage::PullFailed(failure));
    store.next_lost();
    assert_eq!(result(&served), None);
}

#[test]
fn frames_that_make_no_sense_end_the_link() {
    let huge = format!(r#"{{"_tag":"Pong","x":"{}"}}"#, "x".repeat(17 << 20));
    for (frame, reason) in [
        (Message::text("{nope"), "not a message"),
        (Message::text(r#"{"_tag":"Surprise"}"#), "Unknown request tag: Surprise"),
        (Message::binary(vec![1, 2]), "binary"),
        (Message::text(huge), "too long"),
    ] {
        let (backend, _served) = serve(|mut peer| {
            // The client may hang up before a long frame is sent wholly.
            let _ = peer.0.send(frame);
            peer.hear()
        });
        let store = Store::connect(&backend, None);
        assert_eq!(store.next(), BackendMessage::Connected);
        let said = store.next_lost();
        assert!(said.contains(reason), "{said}");
    }
}

#[test]
fn a_defect_or_an_unreadable_answer_is_the_requests_failure() {
    for (frame, problem) in [
        (r#"{"_tag":"Defect","defect":"Unknown request tag: X"}"#, "Unknown request tag: X"),
        (r#"{"_tag":"Chunk","requestId":"0","values":[{"batch":7}]}"#, "expected a sequence"),
    ] {
        let (backend, _served) = serve(move |mut peer| {
            peer.hear_request();
            peer.say(frame);
            peer.hear()
        });
        let mut store = Store::connect(&backend, None);
        assert_eq!(store.next(), BackendMessage::Connected);
        store.link().pull(None);
        let BackendMessage::PullFailed(SyncError::Invalid(text)) = store.next() else {
            panic!("an invalid pull")
        };
        assert!(text.contains(problem), "{text}");
        store.next_lost();
    }
}

#[test]
fn a_refused_upgrade_says_why() {
    let refused = |text: &str| Some(SyncError::Refused(text.to_owned()));
    let invalid = |text: &str| Some(SyncError::Invalid(text.to_owned()));
    for (status, body, failure) in [
        ("400 Bad Request", "Invalid auth token", refused("Invalid auth token")),
        ("401 Unauthorized", "", refused("no reason given")),
        ("403 Forbidden", "not yours", refused("not yours")),
        ("200 OK", "Info: a sync backend", invalid("Info: a sync backend")),
        ("503 Unavailable", "busy", None),
    ] {
        let (backend, _served) = serve_raw(move |mut stream| {
            let _ = stream.read(&mut [0; 2048]).unwrap();
            let length = body.len();
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            thread::sleep(Duration::from_millis(30));
            stream.write_all(body.as_bytes()).unwrap();
        });
        let store = Store::connect(&backend, None);
        match failure {
            Some(failure) => assert_eq!(store.next(), BackendMessage::PullFailed(failure)),
            None => {
                assert_eq!(store.next_lost(), "the backend answers 503: busy");
                continue;
            }
        }
        store.next_lost();
    }
}

#[test]
fn no_backend_and_a_silent_one_are_lost() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let store = Store::connect(&WebSocket::new(format!("ws://{nobody}")), None);
    assert!(store.next_lost().contains("refused"));

    let store = Store::connect(&WebSocket::new("no url"), None);
    assert!(store.next_lost().contains("`no url` has no scheme"));

    let (backend, _served) = serve_raw(keep_open);
    let backend = backend.connect_timeout(Duration::from_millis(50));
    assert_eq!(Store::connect(&backend, None).next_lost(), "connecting takes too long");
}

#[test]
fn a_connection_that_died_without_a_word_is_found_out() {
    let (backend, _served) = serve(keep_open);
    let store = Store::connect(&backend.ping_every(Duration::from_millis(100)), None);
    assert_eq!(store.next(), BackendMessage::Connected);
    assert_eq!(store.next_lost(), "the backend does not answer pings");
}

#[test]
fn a_backend_that_has_moved_says_where() {
    let (backend, _served) = serve_raw(|mut stream| {
        let _ = stream.read(&mut [0; 2048]).unwrap();
        let location = "https://sync.example.com/app/?storeId=st1&payload=s3cret";
        let head = format!("HTTP/1.1 308 Moved\r\nlocation: {location}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
    });
    let reason = Store::connect(&backend, Some(r#""s3cret""#)).next_lost();
    let expected = "the backend has moved (308): use `wss://sync.example.com/app/` as the URL";
    assert_eq!(reason, expected);
}

#[test]
fn a_web_page_is_not_shown_as_a_reason() {
    let page = "<!DOCTYPE html><title>Welcome to the airport</title>";
    for head in ["HTTP/1.1 200 OK", "HTTP/1.1 511 Sign In\r\nretry-after: 30"] {
        let (backend, _served) = serve_raw(move |mut stream| {
            let _ = stream.read(&mut [0; 2048]).unwrap();
            let length = page.len();
            let answer = format!("{head}\r\ncontent-length: {length}\r\n\r\n{page}");
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let store = Store::connect(&backend, None);
        let mut seen = vec![store.next(), store.next()];
        if matches!(seen[0], BackendMessage::RetryAfter(_)) {
            assert_eq!(seen.remove(0), BackendMessage::RetryAfter(Duration::from_secs(30)));
        }
        let seen = format!("{seen:?}");
        assert!(seen.contains("a web page instead") && !seen.contains("airport"), "{seen}");
    }
}

#[test]
fn a_payload_that_is_too_long_for_the_backend_is_named() {
    let (backend, _served) = serve_raw(|mut stream| {
        let _ = stream.read(&mut [0; 64 * 1024]).unwrap();
        let head = "HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
    });
    let payload = format!("\"{}\"", "x".repeat(20_000));
    let store = Store::connect(&backend, Some(&payload));
    let BackendMessage::PullFailed(SyncError::Invalid(reason)) = store.next() else { panic!() };
    assert!(reason.contains("the sync payload is part of the URL"), "{reason}");
}

#[test]
fn what_a_backend_says_does_not_reach_a_terminal_unescaped() {
    let (backend, _served) = serve_raw(|mut stream| {
        let _ = stream.read(&mut [0; 2048]).unwrap();
        let body = "\u{1b}[2Jgone\u{7}";
        let head = format!("HTTP/1.1 503 Busy\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(head.as_bytes()).unwrap();
    });
    let reason = Store::connect(&backend, None).next_lost();
    assert_eq!(reason, r"the backend answers 503: \u{1b}[2Jgone\u{7}");
}

/// A backend whose bytes arrive one at a time, which is slow, and no attack.
#[test]
fn a_link_that_carries_a_byte_at_a_time_is_a_link() {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = upstream.local_addr().unwrap();
    let (backend, _served) = serve_raw(move |client| {
        let server = TcpStream::connect(address).unwrap();
        client.set_nodelay(true).unwrap();
        let mut pairs = vec![
            (client.try_clone().unwrap(), server.try_clone().unwrap(), 1 << 14),
            (server, client, 1),
        ];
        let copy = |(mut from, mut to, size): (TcpStream, TcpStream, usize)| {
            let mut buffer = vec![0; size];
            while let Ok(n @ 1..) = from.read(&mut buffer) {
                if to.write_all(&buffer[..n]).is_err() {
                    break;
                }
                thread::sleep(Duration::from_micros(200));
            }
        };
        let down = pairs.pop().unwrap();
        let up = pairs.pop().unwrap();
        thread::spawn(move || copy(up));
        copy(down);
    });
    thread::spawn(move || {
        let mut peer = Peer(tungstenite::accept(upstream.accept().unwrap().0).unwrap());
        peer.hear_request();
        peer.chunk("0");
        keep_open(peer);
    });
    let mut store = Store::connect(&backend, None);
    assert_eq!(store.next(), BackendMessage::Connected);
    store.link().pull(None);
    assert_eq!(store.next_page().backend_id, "b1");
}

/// One frame that takes ten times as long as a ping may be unanswered.
#[test]
fn bytes_that_arrive_are_signs_of_life() {
    let (backend, _served) = serve_raw(|stream| {
        let mut raw = stream.try_clone().unwrap();
        let mut peer = Peer(tungstenite::accept(stream).unwrap());
        peer.hear_request();
        let text = format!(r#"{{"_tag":"Chunk","requestId":"0","values":[{EMPTY_PAGE}]}}"#);
        let length = u8::try_from(text.len()).unwrap();
        let (rest, begin) = (text.as_bytes(), [0x81, 126, 0, length]);
        raw.write_all(&begin).unwrap();
        for byte in rest {
            raw.write_all(&[*byte]).unwrap();
            thread::sleep(Duration::from_millis(20));
        }
        keep_open(peer);
    });
    let mut store = Store::connect(&backend.ping_every(Duration::from_millis(200)), None);
    assert_eq!(store.next(), BackendMessage::Connected);
    store.link().pull(None);
    let mut pulses = 0;
    loop {
        match store.next() {
            BackendMessage::Receiving => pulses += 1,
            BackendMessage::Pulled(page) => break assert_eq!(page.backend_id, "b1"),
            other => panic!("{other:?}"),
        }
    }
    assert!(pulses > 2, "{pulses}");
}

#[test]
fn a_push_that_is_too_large_for_the_backend_is_refused_for_good() {
    let (backend, _served) = serve(|mut peer| {
        peer.hear_request();
        let code = tungstenite::protocol::frame::coding::CloseCode::Size;
        let frame = tungstenite::protocol::CloseFrame { code, reason: "at most 7 bytes".into() };
        peer.0.close(Some(frame)).unwrap();
        while peer.0.read().is_ok() {}
    });
    let mut store = Store::connect(&backend, None);
    assert_eq!(store.next(), BackendMessage::Connected);
    store.link().push(vec![event(1, "{}")], None);
    let BackendMessage::PushFailed(SyncError::Invalid(reason)) = store.next() else {
        panic!("a refusal")
    };
    assert!(reason.contains("at most 7 bytes"), "{reason}");
    store.next_lost();
}

#[test]
fn a_check_pings_at_once() {
    let (backend, served) = serve(|mut peer| match peer.0.read().unwrap() {
        Message::Text(text) => ClientMessage::decode(&text).unwrap(),
        other => panic!("{other:?}"),
    });
    let mut store = Store::connect(&backend.ping_every(Duration::from_secs(3600)), None);
    assert_eq!(store.next(), BackendMessage::Connected);
    store.link().check();
    assert_eq!(result(&served), ClientMessage::Ping);
}

#[test]
fn settings_that_cannot_work_are_an_error_at_once() {
    for (backend, reason) in [
        (WebSocket::new("127.0.0.1:8787"), "such as `ws://127.0.0.1:8787`"),
        (WebSocket::new("ftp://a"), "does not begin with `ws://` or `wss://`"),
        (WebSocket::new("ws://host:99999"), "names no port: `99999`"),
        (
            WebSocket::new("ws://a").header("no name", "x"),
            "\"no name\" is not the name of a header",
        ),
        (WebSocket::new("ws://a").header("x-token", "s3cret\n"), "the header \"x-token\""),
    ] {
        let error = SyncBackend::check(&backend).unwrap_err().to_string();
        assert!(error.contains(reason) && !error.contains("s3cret"), "{error}");
    }
    let opened = livestore::Store::<livestore_testing::sample::notes::App>::builder("notes")
        .sync(WebSocket::new("localhost:8787"))
        .open();
    assert!(matches!(opened, Err(livestore::store::OpenError::SyncBackend(_))), "{opened:?}");
    assert_eq!(SyncBackend::check(&WebSocket::new("WS://localhost:8787/a/b/")), Ok(()));
}

/// Keeps a connection open, without a word, until the test ends.
fn keep_open<T>(connection: T) {
    loop {
        thread::park();
        let _ = &connection;
    }
}

#[test]
fn a_backend_that_reads_nothing_is_found_out_while_pushing() {
    let (backend, _served) = serve(keep_open);
    let large = format!("\"{}\"", "x".repeat(32 << 20));
    let mut store = Store::connect(&backend.ping_every(Duration::from_secs(1)), None);
    // Before it has connected: so it comes before the first ping.
    store.link().push(vec![event(1, &large)], None);
    assert_eq!(store.next(), BackendMessage::Connected);
    assert_eq!(store.next_lost(), "the backend does not read any more");
}

/// Without a socket, and so without a clock: no answer is ever late.
#[test]
fn pings_that_are_answered_keep_the_connection() {
    let (sender, received) = std::sync::mpsc::channel();
    let messages = MessageSender::new(move |message| drop(sender.send(message)));
    let mut conversation = Conversation::new(ConnectRequest::new("st", None), messages);
    assert_eq!(received.recv(), Ok(BackendMessage::Connected));
    for _ in 0..3 {
        assert_eq!(conversation.ping().as_deref(), Some(r#"{"_tag":"Ping"}"#));
        assert_eq!(conversation.receive(r#"{"_tag":"Pong"}"#), Ok(None));
    }
    assert!(conversation.ping().is_some());
    assert!(received.try_recv().is_err(), "nothing has happened");
    assert_eq!(conversation.ping(), None);
    let reason = "the backend does not answer pings".to_owned();
    assert_eq!(received.recv(), Ok(BackendMessage::Disconnected { reason }));
}

#[test]
fn dropping_the_link_ends_a_connection_that_is_being_made() {
    let (backend, served) = serve_raw(|mut stream| {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).is_ok()
    });
    let mut store = Store::connect(&backend, None);
    thread::sleep(Duration::from_millis(50));
    drop(store.link.take());
    store.expect_end();
    assert!(result(&served));
}

#[test]
fn an_app_may_lend_its_runtime() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (backend, served) = serve(|mut peer| peer.hear());
    let mut store = Store::connect(&backend.runtime(runtime.handle().clone()), None);
    assert_eq!(store.next(), BackendMessage::Connected);
    drop(store.link.take());
    store.expect_end();
    assert_eq!(result(&served), None);
}
