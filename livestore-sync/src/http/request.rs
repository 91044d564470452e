//! Requests, over a connection that stays open.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::CONTENT_ENCODING;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use livestore::sync::{ConnectRequest, MessageSender, Secret};
use livestore_protocol::{ServerMessage, Transport, transfer_time};
use tokio::time::timeout;

use super::Http;
use super::answer::{Answer, MAX_REFUSAL_BYTES, SCHEMES};
use crate::net::{Address, End, dial};

/// Sends requests, over a new connection if the backend has closed the last one.
pub(super) struct Client {
    address: Address,
    store_id: String,
    headers: Vec<(String, Secret)>,
    connect_timeout: Duration,
    timeout: Duration,
    messages: MessageSender,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    pub(super) fn new(
        http: &Http,
        connect_request: &ConnectRequest,
        messages: MessageSender,
    ) -> Result<Self, End> {
        let options = &http.options;
        Ok(Self {
            address: Address::new(&options.url, connect_request, Transport::Http)
                .map_err(End::disconnected)?,
            store_id: connect_request.store_id.clone(),
            headers: options.headers.clone(),
            connect_timeout: options.connect_timeout,
            timeout: http.timeout,
            messages,
            sender: None,
        })
    }

    /// Sends a request, and passes the messages of its answer to `receive`, as they arrive. Meanwhile, the
    /// store is notified now and then that the backend is alive.
    pub(super) async fn send(
        &mut self,
        request: &livestore_protocol::Request,
        mut receive: impl FnMut(ServerMessage) -> Result<(), End>,
    ) -> Result<(), End> {
        let mut body = String::new();
        request.encode(Transport::Http, &mut body);
        let patience = self.timeout + transfer_time(body.len());
        let request = self.post(body)?;
        let sending = self.sender().await?.send_request(request);
        let mut response = timely(patience, sending).await?.map_err(End::broken)?;
        if response.status() != StatusCode::OK || is_compressed(&response) {
            return Err(self.refusal(response).await);
        }
        let mut answer = Answer::new(&self.messages);
        while let Some(bytes) = self.read(&mut response).await? {
            answer.push(&bytes, &mut receive)?;
        }
        answer.finish(&response.into_parts().0)
    }

    fn post(&self, body: String) -> Result<Request<Full<Bytes>>, End> {
        let mut request = Request::post(self.address.target.as_str())
            .header("host", self.address.authority.as_str())
            .header("content-type", "application/json")
            .header("accept-encoding", "identity");
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

    async fn read(&self, response: &mut Response<Incoming>) -> Result<Option<Bytes>, End> {
        match timely(self.timeout, response.body_mut().frame()).await? {
            Some(Ok(frame)) => Ok(Some(frame.into_data().unwrap_or_default())),
            Some(Err(error)) => Err(End::broken(error)),
            None => Ok(None),
        }
    }

    async fn refusal(&self, mut response: Response<Incoming>) -> End {
        if is_compressed(&response) {
            return End::disconnected("the backend, or a proxy, compresses its answer unasked");
        }
        let mut body = Vec::new();
        while let Ok(Some(bytes)) = self.read(&mut response).await {
            body.extend_from_slice(&bytes);
            if body.len() > MAX_REFUSAL_BYTES {
                break;
            }
        }
        End::answer(&response.into_parts().0, &body, SCHEMES)
    }
}

async fn timely<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, End> {
    timeout(limit, work).await.map_err(|_| End::disconnected("the backend does not answer"))
}

fn is_compressed(response: &Response<Incoming>) -> bool {
    let encoding = response.headers().get(CONTENT_ENCODING);
    encoding.is_some_and(|encoding| encoding != "identity")
}

async fn connect(address: &Address) -> Result<SendRequest<Full<Bytes>>, End> {
    let socket = dial(address).await.map_err(End::disconnected)?;
    let (sender, connection) = http1::handshake(TokioIo::new(socket)).await.map_err(End::broken)?;
    // It ends with the sender; its errors are those of the requests.
    tokio::spawn(connection);
    Ok(sender)
}
