//! Requests by the browser's `fetch`.

use std::time::Duration;

use http::Response as Head;
use http::header::{CONTENT_TYPE, DATE, HeaderName, RETRY_AFTER};
use http::response::Parts;
use js_sys::{Function, Promise, Reflect, Uint8Array, global};
use livestore::sync::{ConnectRequest, MessageSender, Secret};
use livestore_protocol::{ServerMessage, Transport, transfer_time};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Headers, ReadableStreamDefaultReader, RequestInit, RequestRedirect, Response,
};

use super::Http;
use super::answer::{Answer, MAX_REFUSAL_BYTES, SCHEMES};
use crate::net::{Address, End, describe, timeout};

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
        let unfinished = Unfinished::new()?;
        let asked = self.fetch(&body, &unfinished).map_err(failed)?;
        let response: Response =
            timely(patience, JsFuture::from(asked)).await?.map_err(failed)?.unchecked_into();
        let (parts, reader) = (head(&response)?, reader(&response)?);
        if parts.status != http::StatusCode::OK {
            return Err(self.refusal(&parts, &reader).await);
        }
        let mut answer = Answer::new(&self.messages);
        while let Some(bytes) = self.read(&reader).await? {
            answer.push(&bytes, &mut receive)?;
        }
        answer.finish(&parts)
    }

    fn fetch(&self, body: &str, unfinished: &Unfinished) -> Result<Promise, JsValue> {
        let headers = Headers::new()?;
        headers.append("content-type", "application/json")?;
        // A header cannot carry every store id; the request does.
        if self.store_id.bytes().all(|byte| byte.is_ascii_graphic()) {
            headers.append("x-livestore-store-id", &self.store_id)?;
        }
        for (name, value) in &self.headers {
            headers.append(name, value.as_str())?;
        }
        let init = RequestInit::new();
        init.set_method("POST");
        init.set_headers(&headers);
        init.set_body(&body.into());
        init.set_redirect(RequestRedirect::Error);
        init.set_signal(Some(&unfinished.0.signal()));
        // Pages and workers each have their own.
        let fetch: Function = Reflect::get(&global(), &"fetch".into())?.dyn_into()?;
        fetch.call2(&JsValue::UNDEFINED, &self.url.as_str().into(), &init)?.dyn_into()
    }

    async fn read(&self, reader: &ReadableStreamDefaultReader) -> Result<Option<Vec<u8>>, End> {
        let chunk = timely(self.timeout, JsFuture::from(reader.read())).await?.map_err(failed)?;
        if Reflect::get(&chunk, &"done".into()).map_err(failed)?.is_truthy() {
            return Ok(None);
        }
        let bytes = Reflect::get(&chunk, &"value".into()).map_err(failed)?;
        Ok(Some(Uint8Array::new(&bytes).to_vec()))
    }

    async fn refusal(&self, parts: &Parts, reader: &ReadableStreamDefaultReader) -> End {
        let mut body = Vec::new();
        while body.len() <= MAX_REFUSAL_BYTES
            && let Ok(Some(bytes)) = self.read(reader).await
        {
            body.extend_from_slice(&bytes);
        }
        End::answer(parts, &body, SCHEMES)
    }
}

/// A request that is aborted when this is dropped, unless it is through.
struct Unfinished(AbortController);

impl Unfinished {
    fn new() -> Result<Self, End> {
        AbortController::new().map(Self).map_err(failed)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The status, and the headers that matter.
fn head(response: &Response) -> Result<Parts, End> {
    let mut head = Head::builder().status(response.status());
    for name in [CONTENT_TYPE, DATE, RETRY_AFTER] {
        if let Some(value) = header(response, &name) {
            head = head.header(name, value);
        }
    }
    Ok(head.body(()).map_err(End::disconnected)?.into_parts().0)
}

fn header(response: &Response, name: &HeaderName) -> Option<String> {
    response.headers().get(name.as_str()).ok().flatten()
}

fn reader(response: &Response) -> Result<ReadableStreamDefaultReader, End> {
    let body = response.body().ok_or_else(|| End::disconnected("the answer has no body"))?;
    ReadableStreamDefaultReader::new(&body).map_err(failed)
}

async fn timely<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, End> {
    timeout(limit, work).await.ok_or_else(|| End::disconnected("the backend does not answer"))
}

/// A browser hides why it cannot reach a server.
fn failed(exception: JsValue) -> End {
    End::disconnected(describe(&exception))
}
