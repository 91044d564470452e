//! The local server: who is let in, and who is not.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use futures_util::{SinkExt as _, StreamExt as _};
use livestore::prelude::*;
use livestore_devtools::protocol::VERSION;
use livestore_devtools::{Devtools, Options, ServeError, serve_with};
use livestore_testing::sample::todos::App;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};

fn served() -> (Store<App>, Devtools) {
    let store = Store::<App>::builder("todos").open().unwrap();
    let devtools = serve_with(&store, Options::default()).unwrap();
    (store, devtools)
}

/// The address and the token.
fn parts(devtools: &Devtools) -> (String, String) {
    let url = devtools.url().strip_prefix("http://").unwrap();
    let (address, token) = url.split_once("/#token=").unwrap();
    (address.to_owned(), token.to_owned())
}

async fn get(address: &str, path: &str, headers: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn the_page_is_served_and_nothing_else() {
    let (_store, devtools) = served();
    let (address, token) = parts(&devtools);
    let host = format!("Host: {address}\r\n");
    let page = get(&address, "/", &host).await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains("content-security-policy: default-src 'none'"), "{page}");
    assert!(!page.contains(&token), "whoever gets the page does not get in");
    assert!(get(&address, "/etc/passwd", &host).await.starts_with("HTTP/1.1 404"));
    assert!(get(&address, "/socket", &host).await.starts_with("HTTP/1.1 401"));
    let with_token = format!("/socket?token={token}");
    assert!(get(&address, &with_token, &host).await.starts_with("HTTP/1.1 426"));
}

#[tokio::test]
async fn a_name_that_resolves_to_this_machine_is_refused() {
    let (_store, devtools) = served();
    let (address, _) = parts(&devtools);
    let port = address.rsplit_once(':').unwrap().1;
    for host in [
        "evil.example",
        &format!("evil.example:{port}"),
        "127.0.0.1",
        &format!("127.0.0.1.evil.example:{port}"),
    ] {
        let answer = get(&address, "/", &format!("Host: {host}\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{host}: {answer}");
    }
    assert!(get(&address, "/", "").await.starts_with("HTTP/1.1 403"), "without a host");
    let local = format!("Host: localhost:{port}\r\n");
    assert!(get(&address, "/", &local).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_page_from_elsewhere_opens_no_socket() {
    let (_store, devtools) = served();
    let (address, token) = parts(&devtools);
    for origin in ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1"] {
        let mut request =
            format!("ws://{address}/socket?token={token}").into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        let Error::Http(answer) = tokio_tungstenite::connect_async(request).await.unwrap_err()
        else {
            panic!("it is an answer");
        };
        assert_eq!(answer.status(), 403, "{origin}");
    }
}

#[tokio::test]
async fn a_wrong_token_is_told_so() {
    let (_store, devtools) = served();
    let (address, token) = parts(&devtools);
    let short = &token[1..];
    for wrong in ["", "token=", "token=x", &format!("token={short}"), &format!("token={token}x")] {
        let url = format!("ws://{address}/socket?{wrong}");
        let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        let Some(Ok(Message::Close(Some(frame)))) = socket.next().await else {
            panic!("it is closed");
        };
        assert_eq!(u16::from(frame.code), 4401);
        assert!(frame.reason.contains("token"), "{}", frame.reason);
    }
}

#[tokio::test]
async fn a_page_asks_and_is_notified() {
    let (store, devtools) = served();
    let (address, token) = parts(&devtools);
    let url = format!("ws://{address}/socket?token={token}");
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    for call in [
        json!({ "id": 1, "method": "hello", "params": { "version": VERSION } }),
        json!({ "id": 2, "method": "subscribe", "params": { "topics": ["log"] } }),
    ] {
        socket.send(Message::text(call.to_string())).await.unwrap();
        let answer: Json =
            serde_json::from_str(socket.next().await.unwrap().unwrap().to_text().unwrap()).unwrap();
        assert_eq!(answer["id"], call["id"]);
        assert!(answer.get("result").is_some(), "{answer}");
    }
    let args = r#"{"id":"a","text":"Milk","created_at":"2026-11-27T00:00:00.000Z"}"#;
    let event = livestore::tools::NamedEvent::new("v1.TodoCreated", args);
    store.tools().commit(&[event]).unwrap();
    loop {
        let message = socket.next().await.unwrap().unwrap();
        let news: Json = serde_json::from_str(message.to_text().unwrap()).unwrap();
        if news["data"]["total"] == 1 {
            break;
        }
    }
    devtools.stop();
    let ended = async { while let Some(Ok(_)) = socket.next().await {} };
    tokio::time::timeout(std::time::Duration::from_secs(30), ended).await.unwrap();
}

#[tokio::test]
async fn devtools_end_with_their_store() {
    let (store, devtools) = served();
    let (address, _) = parts(&devtools);
    drop(devtools);
    assert!(
        get(&address, "/", &format!("Host: {address}\r\n")).await.starts_with("HTTP/1.1 200"),
        "the handle may be dropped"
    );
    drop(store);
    livestore_testing::wait_until(|| std::net::TcpStream::connect(&*address).is_err());
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let store = Store::<App>::builder("todos").open().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = serve_with(&store, Options::default().port(port)).unwrap_err();
    assert!(matches!(error, ServeError::Address { .. }), "{error}");
    assert!(error.to_string().contains(&port.to_string()), "{error}");
}
