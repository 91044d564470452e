//! A server in this process, and a client without any of our code.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use livestore_server::auth::{Authenticate, NoAuth};
use livestore_server::store::{EventStore, MemoryStore, StoreLimits};
use livestore_server::{Limits, Server};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// The time after which a test gives up. A test that passes never waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct TestServer {
    pub(crate) address: String,
    pub(crate) store: Arc<dyn EventStore>,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::with(NoAuth, Limits::default()).await
    }

    pub(crate) async fn with(auth: impl Authenticate, limits: Limits) -> Self {
        let store: Arc<dyn EventStore> =
            Arc::new(MemoryStore::new(StoreLimits { stores: 100, bytes: u64::MAX }));
        let server = Server::bind("127.0.0.1:0", Arc::clone(&store), Arc::new(auth), limits);
        let server = server.await.unwrap();
        let address = server.local_addr().unwrap().to_string();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(server.serve(async move { drop(stopped.await) }));
        Self { address, store, stop: Some(stop), serving }
    }

    pub(crate) async fn connect(&self, store: &str) -> Client {
        Client::connect(&self.address, store).await
    }

    /// Stops the server, and waits until it has.
    pub(crate) async fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        timeout(PATIENCE, &mut self.serving).await.unwrap().unwrap();
    }

    /// Sends a request as it is, and reads until the server closes the connection.
    pub(crate) async fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
        String::from_utf8(answer).unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> String {
        self.raw(&format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await
    }

    pub(crate) async fn post(&self, query: &str, body: &str) -> String {
        let length = body.len();
        self.raw(&format!(
            "POST /?{query} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
        .await
    }
}

pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    store: String,
}

impl Client {
    pub(crate) async fn connect(address: &str, store: &str) -> Self {
        Self::try_connect(address, &format!("storeId={store}&transport=ws"), store).await.unwrap()
    }

    pub(crate) async fn try_connect(
        address: &str,
        query: &str,
        store: &str,
    ) -> Result<Self, tungstenite::Error> {
        let (socket, _) = connect_async(format!("ws://{address}/?{query}")).await?;
        Ok(Self { socket, store: store.to_owned() })
    }

    pub(crate) async fn send(&mut self, frame: impl ToString) {
        self.socket.send(Message::text(frame.to_string())).await.unwrap();
    }

    pub(crate) async fn receive(&mut self) -> Value {
        match self.message().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("a frame, not {other:?}"),
        }
    }

    pub(crate) async fn message(&mut self) -> Message {
        self.wait(PATIENCE).await
    }

    pub(crate) async fn wait(&mut self, patience: Duration) -> Message {
        loop {
            let next = timeout(patience, self.socket.next()).await;
            match next.expect("the server says something").expect("a frame").expect("a whole one") {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return message,
            }
        }
    }

    /// Waits for the end of the connection, whatever comes before, and says why it ended.
    pub(crate) async fn closed(&mut self) -> String {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.unwrap() {
                Some(Ok(Message::Close(Some(frame)))) => {
                    return format!("{} {}", u16::from(frame.code), frame.reason);
                }
                Some(Ok(_)) => {}
                other => return format!("{other:?}"),
            }
        }
    }

    pub(crate) async fn push(&mut self, id: &str, batch: &[Value]) -> Value {
        let frame = push(id, &self.store, batch);
        self.send(frame).await;
        loop {
            let answer = self.receive().await;
            if answer["_tag"] == "Exit" && answer["requestId"] == id {
                return answer["exit"].clone();
            }
        }
    }

    pub(crate) async fn pull(&mut self, id: &str, live: bool) {
        self.send(pull(id, &self.store, live)).await;
    }

    pub(crate) async fn ack(&mut self, id: &str) {
        self.send(json!({"_tag": "Ack", "requestId": id})).await;
    }

    /// The numbers of the events of the next chunk.
    pub(crate) async fn chunk(&mut self) -> Vec<u64> {
        let frame = self.receive().await;
        assert_eq!(frame["_tag"], "Chunk", "{frame}");
        seqs(&frame)
    }

    /// The socket is neither dead nor dead but pinging.
    pub(crate) async fn assert_serves(&mut self) {
        self.send(json!({"_tag": "Ping"})).await;
        assert_eq!(self.receive().await, json!({"_tag": "Pong"}));
        self.pull("still", false).await;
        self.chunk().await;
        self.ack("still").await;
        assert_eq!(self.receive().await["exit"], json!({"_tag": "Success"}));
    }
}

pub(crate) fn seqs(chunk: &Value) -> Vec<u64> {
    let pages = chunk["values"].as_array().unwrap().iter();
    let events = pages.flat_map(|page| page["batch"].as_array().unwrap());
    events.map(|event| event["eventEncoded"]["seqNum"].as_u64().unwrap()).collect()
}

pub(crate) fn push(id: &str, store: &str, batch: &[Value]) -> Value {
    json!({"_tag": "Request", "id": id, "tag": "SyncWsRpc.Push", "headers": [],
        "payload": {"storeId": store, "batch": batch, "backendId": {"_tag": "None"}}})
}

pub(crate) fn pull(id: &str, store: &str, live: bool) -> Value {
    json!({"_tag": "Request", "id": id, "tag": "SyncWsRpc.Pull", "headers": [],
        "payload": {"storeId": store, "live": live, "cursor": {"_tag": "None"}}})
}

pub(crate) fn event(seq: u64) -> Value {
    json!({"name": "v1.Counted", "args": {"n": seq}, "seqNum": seq, "parentSeqNum": seq - 1,
        "clientId": "client", "sessionId": "session"})
}

pub(crate) fn accepted() -> Value {
    json!({"_tag": "Success", "value": {}})
}
