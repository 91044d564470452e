//! A token is in no log and no message, whoever writes it.

use std::fs::File;
use std::io::Write;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use livestore::sync::{BackendMessage, ConnectRequest, MessageSender, SyncBackend};
use livestore_sync::{Http, WebSocket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tracing_subscriber::fmt::MakeWriter;

use crate::binary::{Binary, command};
use crate::client::{Client, PATIENCE};

const TOKEN: &str = "s3cret-of-the-team";
const WRONG: &str = "s3cret-of-nobody";

/// As LiveStore sends it: encoded twice.
fn query(token: &str, transport: &str) -> String {
    let payload = format!("%257B%2522authToken%2522%253A%2522{token}%2522%257D");
    format!("storeId=st&transport={transport}&payload={payload}")
}

#[tokio::test]
async fn the_server_logs_no_token() {
    let directory = tempfile::tempdir().unwrap();
    let tokens = directory.path().join("tokens");
    std::fs::write(&tokens, format!("{TOKEN} * read,write\n")).unwrap();
    let log = directory.path().join("log");
    let arguments = ["--listen", "127.0.0.1:0", "--log", "trace", "--tokens"];
    let mut server = command(&directory.path().join("data"), &arguments);
    server.arg(&tokens);
    let server = Binary::run_with_log(server, Stdio::from(File::create(&log).unwrap()));

    let mut client = Client::try_connect(&server.address, &query(TOKEN, "ws"), "st").await.unwrap();
    client.push("1", &[crate::client::event(1)]).await;
    assert!(Client::try_connect(&server.address, &query(WRONG, "ws"), "st").await.is_err());
    for token in [TOKEN, WRONG] {
        for head in [
            format!("POST /?{} HTTP/1.1\r\n", query(token, "http")),
            format!(
                "POST /?storeId=st&transport=http HTTP/1.1\r\nauthorization: Bearer {token}\r\n"
            ),
            format!("GET /{token} HTTP/1.1\r\nno header {token}\r\n"),
        ] {
            let request =
                format!("{head}host: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{{}}");
            let mut stream = TcpStream::connect(&server.address).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(!answer.contains("s3cret"), "{answer}");
        }
    }
    server.kill();
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("refused a connection"), "{log}");
    assert!(!log.contains("s3cret"), "{log}");
}

/// Everything that is logged in this process.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Returns the messages of a connection, until it ends.
async fn transcript(backend: &dyn SyncBackend, connect_request: &ConnectRequest) -> String {
    let (sender, mut received) = tokio::sync::mpsc::unbounded_channel();
    let messages = MessageSender::new(move |message| drop(sender.send(message)));
    let mut connection = backend.connect(connect_request.clone(), messages);
    connection.pull(None);
    let mut transcript = String::new();
    loop {
        let message = tokio::time::timeout(PATIENCE, received.recv());
        let message = message.await.unwrap().unwrap();
        transcript += &format!("{message:?}\n");
        if let BackendMessage::Disconnected { .. } = message {
            return transcript;
        }
    }
}

#[tokio::test]
async fn the_client_logs_no_token() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
    tracing::subscriber::set_global_default(subscriber.with_writer(log.clone()).finish()).unwrap();
    let connect_request =
        ConnectRequest::new("st", Some(format!(r#"{{"authToken":"{TOKEN}"}}"#).into()));

    // A backend that accepts and goes away, one that refuses, and none.
    let rude = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refusing = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let addresses = [rude.local_addr().unwrap(), refusing.local_addr().unwrap(), gone];
    tokio::spawn(async move {
        while let Ok((stream, _)) = rude.accept().await {
            drop(stream);
        }
    });
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = refusing.accept().await {
            let answer = "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\nno";
            let _ = stream.read(&mut [0; 4_096]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    for address in addresses {
        let socket = WebSocket::new(format!("ws://{address}"));
        let socket = socket.header("authorization", format!("Bearer {TOKEN}"));
        let http = Http::new(format!("http://{address}"));
        let http = http.header("authorization", format!("Bearer {TOKEN}"));
        for backend in [&socket as &dyn SyncBackend, &http] {
            let answer = transcript(backend, &connect_request).await;
            let printed = format!("{answer}{backend:?}{connect_request:?}");
            assert!(!printed.contains("s3cret"), "{printed}");
        }
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(!log.contains("s3cret"), "{log}");
}
