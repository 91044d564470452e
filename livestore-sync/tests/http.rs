//! The HTTP backend against a server that answers from a script.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]
#![expect(clippy::disallowed_methods, reason = "a server needs a thread")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use livestore::sync::{BackendMessage, More, Page, SyncError};
use livestore_protocol::{Call, ClientMessage, Exit, Request, RequestId, ServerMessage};
use livestore_sync::Http;
use support::{Store, event};

/// A request as it came: the head in lower case, and what is in it.
type Asked = (String, Request);

/// A backend that is answered by `script`, an HTTP answer for each request, and what it was asked.
/// When the script ends, connections are closed and no more are taken.
fn serve(script: Vec<String>) -> (Http, Receiver<Asked>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let backend = Http::new(format!("http://{}/sync", listener.local_addr().unwrap()));
    let (sender, asked) = channel();
    thread::spawn(move || {
        let mut script = script.into_iter().peekable();
        while script.peek().is_some() {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream);
            while script.peek().is_some() {
                let Some(request) = read_request(&mut reader) else { break };
                // The test may have ended.
                let _ = sender.send(request);
                let answer = script.next().unwrap();
                reader.get_mut().write_all(answer.as_bytes()).unwrap();
                if answer.contains("connection: close") {
                    break;
                }
            }
        }
    });
    (backend.poll_every(Duration::from_millis(100)), asked)
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let head = head.to_lowercase();
    let length = head.split("content-length: ").nth(1)?.split("\r\n").next()?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    match ClientMessage::decode(std::str::from_utf8(&body).unwrap()) {
        Ok(ClientMessage::Request(request)) => Some((head, request)),
        other => panic!("{other:?} instead of a request"),
    }
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
}

fn ok(messages: &[ServerMessage]) -> String {
    let mut body = String::new();
    ServerMessage::encode_all(messages, &mut body);
    answer("200 OK", "", &body)
}

fn exit(exit: Exit) -> ServerMessage {
    ServerMessage::Exit { request_id: RequestId::nth(0), exit }
}

fn pages(seqs: &[u64]) -> String {
    let page =
        |&seq: &u64| ServerMessage::Chunk { request_id: RequestId::nth(0), pages: vec![page(seq)] };
    let mut messages: Vec<_> = seqs.iter().map(page).collect();
    messages.push(exit(Exit::PullDone));
    ok(&messages)
}

fn page(seq: u64) -> Page {
    Page { events: vec![event(seq, "{}")], more: More::No, backend_id: "b1".to_owned() }
}

fn head_of(request: &Request) -> Option<u64> {
    match &request.call {
        Call::Pull(pull) => pull.cursor.as_ref().map(|cursor| cursor.head),
        other => panic!("{other:?} instead of a pull"),
    }
}

#[test]
fn polling_goes_on_from_the_last_event() {
    let (backend, asked) = serve(vec![
        ok(&[exit(Exit::Pong)]),
        pages(&[1, 2]),
        pages(&[]),
        answer(
            "200 OK",
            "connection: close\r\n",
            "[{\"_tag\":\"Exit\",\"requestId\":\"3\",\"exit\":{\"_tag\":\"Success\"}}]",
        ),
        pages(&[3]),
    ]);
    let mut store = Store::connect(&backend, Some(r#"{"t":1}"#));
    assert_eq!(store.next(), BackendMessage::Connected);
    store.link().pull(None);
    for seq in 1..=3 {
        assert_eq!(store.next_page(), page(seq));
    }
    store.next_lost();

    let asked: Vec<Asked> = asked.try_iter().collect();
    let (head, ping) = &asked[0];
    assert!(head.starts_with("post /sync?storeid=st1&transport=http&payload=%257b"), "{head}");
    assert!(head.contains("x-livestore-store-id: st1\r\n"), "{head}");
    assert!(matches!(&ping.call, Call::Ping(ping) if ping.payload == Some(r#"{"t":1}"#.into())));
    let heads: Vec<_> = asked[1..].iter().map(|(_, request)| head_of(request)).collect();
    assert_eq!(heads, [None, Some(2), Some(2), Some(2)]);
}

#[test]
fn a_push_is_followed_by_a_pull_at_once() {
    let failure = SyncError::ServerAhead { head: 1, parent: 0 };
    let (backend, _asked) = serve(vec![
        ok(&[exit(Exit::Pong)]),
        pages(&[]),
        ok(&[exit(Exit::Failure(failure.clone()))]),
        pages(&[1]),
        ok(&[exit(Exit::PushDone)]),
        pages(&[2]),
    ]);
    let mut store = Store::connect(&backend.poll_every(Duration::from_secs(3600)), None);
    assert_eq!(store.next(), BackendMessage::Connected);
    store.link().pull(None);
    store.link().push(vec![event(1, "{}")], None);
    assert_eq!(store.next(), BackendMessage::PushFailed(failure));
    assert_eq!(store.next_page(), page(1));
    store.link().push(vec![event(2, "{}")], None);
    assert_eq!(store.next(), BackendMessage::Pushed);
    assert_eq!(store.next_page(), page(2));
    drop(store.link.take());
    store.expect_end();
}

#[test]
fn what_goes_wrong_is_said() {
    let refused = BackendMessage::PullFailed(SyncError::Refused("Invalid auth token".to_owned()));
    let invalid = |text: &str| BackendMessage::PullFailed(SyncError::Invalid(text.to_owned()));
    let page = invalid(
        "a web page instead of a sync backend: the sign-in page of this network, a proxy, or a wrong \
         URL",
    );
    let defect = ServerMessage::Defect("Unknown request tag: X".to_owned());
    for (answer, failure, reason) in [
        (answer("400 Bad Request", "", "Invalid auth token"), Some(refused), "Invalid auth token"),
        (answer("404 Not Found", "", "nothing here"), Some(invalid("nothing here")), "nothing"),
        (answer("503 Unavailable", "", "busy"), None, "the backend answers 503: busy"),
        (ok(&[defect]), Some(invalid("Unknown request tag: X")), "Unknown request tag: X"),
        (answer("200 OK", "", "[{]"), None, "not a message"),
        (answer("200 OK", "", "[{\"_tag\":1}]"), None, "not a message"),
        (answer("200 OK", "", "[{"), None, "cut off"),
        (answer("200 OK", "", "<html>"), Some(page), "a web page instead"),
        (
            answer("200 OK", "", "Info: x\npayload is not JSON"),
            Some(invalid("Info: x\npayload is not JSON")),
            "payload is not JSON",
        ),
        (
            answer("308 Moved", "location: https://b.example/?payload=1\r\n", ""),
            None,
            "use `https://b.example/`",
        ),
        (answer("200 OK", "content-encoding: gzip\r\n", "[]"), None, "compresses its answer"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[".to_owned(), None, "end of file"),
        ("nonsense\r\n\r\n".to_owned(), None, "invalid HTTP"),
    ] {
        let (backend, _asked) = serve(vec![answer]);
        let store = Store::connect(&backend, None);
        if let Some(failure) = failure {
            assert_eq!(store.next(), failure);
        }
        let said = store.next_lost();
        assert!(said.contains(reason), "{said} instead of {reason}");
    }
}

#[test]
fn a_backend_that_does_not_answer_is_lost() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let backend = Http::new(format!("http://{}", listener.local_addr().unwrap()));
    let store = Store::connect(&backend.timeout(Duration::from_millis(100)), None);
    assert_eq!(store.next_lost(), "the backend does not answer");
    drop(listener);
}
