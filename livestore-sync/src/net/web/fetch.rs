//! Requests by the browser's `fetch`.

use js_sys::{Function, Promise, Reflect, Uint8Array, global};
use livestore::sync::Secret;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Headers, ReadableStreamDefaultReader, RequestInit, RequestRedirect, Response,
};

use super::describe;
use crate::net::End;

/// A POST that is to be sent.
pub(crate) struct Post(Headers);

/// A POST that was sent, and the head of whose answer is there. It is aborted when this is dropped, unless
/// it is through.
pub(crate) struct Posted {
    response: Response,
    reader: ReadableStreamDefaultReader,
    _unfinished: Unfinished,
}

impl Post {
    /// One with these headers.
    pub(crate) fn new(headers: &[(String, Secret)]) -> Result<Self, End> {
        let mut new = Self(Headers::new().map_err(failed)?);
        for (name, value) in headers {
            new.header(name, value.as_str())?;
        }
        Ok(new)
    }

    pub(crate) fn header(&mut self, name: &str, value: &str) -> Result<(), End> {
        self.0.append(name, value).map_err(failed)
    }

    /// Sends it. It follows no redirect.
    pub(crate) async fn send(self, url: &Secret, body: Option<&str>) -> Result<Posted, End> {
        let unfinished = Unfinished::new()?;
        let asked = self.fetch(url, body, &unfinished).map_err(failed)?;
        let response: Response = JsFuture::from(asked).await.map_err(failed)?.unchecked_into();
        let reader = reader(&response)?;
        Ok(Posted { response, reader, _unfinished: unfinished })
    }

    fn fetch(
        &self,
        url: &Secret,
        body: Option<&str>,
        unfinished: &Unfinished,
    ) -> Result<Promise, JsValue> {
        let init = RequestInit::new();
        init.set_method("POST");
        init.set_headers(&self.0);
        if let Some(body) = body {
            init.set_body(&body.into());
        }
        init.set_redirect(RequestRedirect::Error);
        init.set_signal(Some(&unfinished.0.signal()));
        // Pages and workers each have their own.
        let fetch: Function = Reflect::get(&global(), &"fetch".into())?.dyn_into()?;
        fetch.call2(&JsValue::UNDEFINED, &url.as_str().into(), &init)?.dyn_into()
    }
}

impl Posted {
    pub(crate) fn status(&self) -> u16 {
        self.response.status()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.response.headers().get(name).ok().flatten()
    }

    /// Reads the next bytes of the body.
    pub(crate) async fn read(&self) -> Result<Option<Vec<u8>>, End> {
        let chunk = JsFuture::from(self.reader.read()).await.map_err(failed)?;
        if Reflect::get(&chunk, &"done".into()).map_err(failed)?.is_truthy() {
            return Ok(None);
        }
        let bytes = Reflect::get(&chunk, &"value".into()).map_err(failed)?;
        Ok(Some(Uint8Array::new(&bytes).to_vec()))
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

fn reader(response: &Response) -> Result<ReadableStreamDefaultReader, End> {
    let body = response.body().ok_or_else(|| End::disconnected("the answer has no body"))?;
    ReadableStreamDefaultReader::new(&body).map_err(failed)
}

/// A browser hides why it cannot reach a server.
fn failed(exception: JsValue) -> End {
    End::disconnected(describe(&exception))
}
