//! Requests by the browser's `fetch`.

use std::time::Duration;

use http::Response as Head;
use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use http::response::Parts;
use livestore::sync::{ConnectRequest, MessageSender, Secret};
use livestore_protocol::{ServerMessage, Transport, transfer_time};

use super::Http;
use super::answer::{Answer, MAX_REFUSAL_BYTES, SCHEMES};
use crate::net::{Address, End, Post, Posted, timeout};

/// Sends requests.
pub(super) struct Client {
    url: Secret,
    store_id: String,
    headers: Vec<(String, Secret)>,
    timeout: Duration,
    messages: MessageSender,
}

impl Client {
    pub(super) fn new(
        http: &Http,
        connect_request: &ConnectRequest,
        messages: MessageSender,
    ) -> Result<Self, End> {
        let options = &http.options;
        let address = Address::new(&options.url, connect_request, Transport::Http)
            .map_err(End::disconnected)?;
        Ok(Self {
            url: Secret::from(address.url(Transport::Http)),
            store_id: connect_request.store_id.clone(),
            headers: options.headers.clone(),
            timeout: http.timeout,
            messages,
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
        let posted = timely(patience, self.post()?.send(&self.url, Some(&body))).await??;
        let parts = head(&posted)?;
        if parts.status != http::StatusCode::OK {
            return Err(self.refusal(&parts, &posted).await);
        }
        let mut answer = Answer::new(&self.messages);
        while let Some(bytes) = self.read(&posted).await? {
            answer.push(&bytes, &mut receive)?;
        }
        answer.finish(&parts)
    }

    fn post(&self) -> Result<Post, End> {
        let mut post = Post::new(&self.headers)?;
        post.header("content-type", "application/json")?;
        // A header cannot carry every store id; the request does.
        if self.store_id.bytes().all(|byte| byte.is_ascii_graphic()) {
            post.header("x-livestore-store-id", &self.store_id)?;
        }
        Ok(post)
    }

    async fn read(&self, posted: &Posted) -> Result<Option<Vec<u8>>, End> {
        timely(self.timeout, posted.read()).await?
    }

    async fn refusal(&self, parts: &Parts, posted: &Posted) -> End {
        let mut body = Vec::new();
        while body.len() <= MAX_REFUSAL_BYTES
            && let Ok(Some(bytes)) = self.read(posted).await
        {
            body.extend_from_slice(&bytes);
        }
        End::answer(parts, &body, SCHEMES)
    }
}

/// The status, and the headers that matter.
fn head(posted: &Posted) -> Result<Parts, End> {
    let mut head = Head::builder().status(posted.status());
    for name in [CONTENT_TYPE, DATE, RETRY_AFTER] {
        if let Some(value) = posted.header(name.as_str()) {
            head = head.header(name, value);
        }
    }
    Ok(head.body(()).map_err(End::disconnected)?.into_parts().0)
}

async fn timely<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, End> {
    timeout(limit, work).await.ok_or_else(|| End::disconnected("the backend does not answer"))
}
