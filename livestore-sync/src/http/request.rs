//! Requests, over a connection that stays open.

use std::error::Error;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use livestore::sync::{ConnectRequest, Secret};
use livestore_protocol::{ServerMessage, Transport};
use tokio::time::timeout;

use super::Http;
use super::elements::Elements;
use crate::net::{Address, End, MAX_MESSAGE_BYTES, dial};

/// Sends requests, over a new connection if the backend has closed the last one.
pub(super) struct Client {
    address: Address,
    store_id: String,
    headers: Vec<(String, Secret)>,
    connect_timeout: Duration,
    timeout: Duration,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    pub(super) fn new(http: &Http, connect_request: &ConnectRequest) -> Result<Self, End> {
        let options = &http.options;
        Ok(Self {
            address: Address::new(&options.url, connect_request, Transport::Http)
                .map_err(End::disconnected)?,
            store_id: connect_request.store_id.clone(),
            headers: options.headers.clone(),
            connect_timeout: options.connect_timeout,
            timeout: http.timeout,
            sender: None,
        })
    }

    /// Sends a request, and passes the messages of its answer to `receive`, as they arrive.
    pub(super) async fn send(
        &mut self,
        request: &livestore_protocol::Request,
        mut receive: impl FnMut(ServerMessage) -> Result<(), End>,
    ) -> Result<(), End> {
        let mut body = String::new();
        request.encode(Transport::Http, &mut body);
        let request = self.post(body)?;
        let sending = self.sender().await?.send_request(request);
        let mut response = self.timely(sending).await?.map_err(broken)?;
        if response.status() != StatusCode::OK {
            return Err(self.refusal(response).await);
        }
        let mut elements = Elements::default();
        while let Some(bytes) = self.read(&mut response).await? {
            elements.push(&bytes);
            while let Some(element) = elements.next() {
                receive(decode(element)?)?;
            }
            if elements.pending() > MAX_MESSAGE_BYTES {
                return Err(End::disconnected("the backend sends a message that is too large"));
            }
        }
        Ok(())
    }

    fn post(&self, body: String) -> Result<Request<Full<Bytes>>, End> {
        let mut request = Request::post(self.address.target.as_str())
            .header("host", self.address.authority.as_str())
            .header("content-type", "application/json");
        // A header cannot carry every store id; the request does.
        if self.store_id.bytes().all(|byte| byte.is_ascii_graphic()) {
            request = request.header("x-livestore-store-id", self.store_id.as_str());
        }
        for (name, value) in &self.headers {
            request = request.header(name, value.as_str());
        }
        request.body(Full::from(body)).map_err(End::disconnected)
    }

    async fn sender(&mut self) -> Result<&mut SendRequest<Full<Bytes>>, End> {
        if let Some(mut open) = self.sender.take()
            && open.ready().await.is_ok()
        {
            return Ok(self.sender.insert(open));
        }
        let connecting = timeout(self.connect_timeout, connect(&self.address));
        let open =
            connecting.await.map_err(|_| End::disconnected("connecting takes too long"))??;
        Ok(self.sender.insert(open))
    }

    async fn timely<T>(&self, work: impl Future<Output = T>) -> Result<T, End> {
        timeout(self.timeout, work)
            .await
            .map_err(|_| End::disconnected("the backend does not answer"))
    }

    async fn read(&self, response: &mut Response<Incoming>) -> Result<Option<Bytes>, End> {
        match self.timely(response.body_mut().frame()).await? {
            Some(Ok(frame)) => Ok(Some(frame.into_data().unwrap_or_default())),
            Some(Err(error)) => Err(broken(error)),
            None => Ok(None),
        }
    }

    async fn refusal(&self, mut response: Response<Incoming>) -> End {
        let mut body = Vec::new();
        while let Ok(Some(bytes)) = self.read(&mut response).await {
            body.extend_from_slice(&bytes);
            if body.len() > MAX_REFUSAL_BYTES {
                break;
            }
        }
        End::status(response.status().as_u16(), &String::from_utf8_lossy(&body))
    }
}

const MAX_REFUSAL_BYTES: usize = 4096;

async fn connect(address: &Address) -> Result<SendRequest<Full<Bytes>>, End> {
    let socket = dial(address).await.map_err(End::disconnected)?;
    let (sender, connection) = http1::handshake(TokioIo::new(socket)).await.map_err(broken)?;
    // It ends with the sender; its errors are those of the requests.
    tokio::spawn(connection);
    Ok(sender)
}

/// hyper says what it was doing; the cause says why that failed.
fn broken(error: hyper::Error) -> End {
    match error.source() {
        Some(cause) => End::disconnected(format!("{error}: {cause}")),
        None => End::disconnected(error),
    }
}

fn decode(element: &[u8]) -> Result<ServerMessage, End> {
    let text = std::str::from_utf8(element).map_err(End::disconnected)?;
    ServerMessage::decode(text).map_err(End::disconnected)
}
