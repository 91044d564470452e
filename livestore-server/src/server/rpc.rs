//! A client that sends its requests by POST.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use hyper::body::Body as _;
use livestore_protocol::{Transport, transfer_time};
use tokio::time::timeout;

use super::Backend;
use super::driver::{Driver, Step};
use super::routes::{Admitted, Refused};

/// A request that a client sends by POST.
pub(super) struct Post {
    body: Body,
    /// The most bytes that it may have.
    limit: usize,
    /// The number of its bytes, if the client says so, or else the most.
    length: usize,
}

impl Post {
    /// Refuses what its head shows to be in vain, before the client sends the rest.
    pub(super) fn from_request(parts: &Parts, body: Body, limit: usize) -> Result<Self, Refused> {
        if let Some(encoding) = parts.headers.get(header::CONTENT_ENCODING)
            && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
        {
            let problem = "the request is compressed: send it without a content-encoding";
            return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, problem));
        }
        let length = match body.size_hint().exact() {
            Some(length) => usize::try_from(length).unwrap_or(usize::MAX),
            None => limit,
        };
        if length > limit {
            return Err(too_large(limit));
        }
        Ok(Self { body, limit, length })
    }

    /// Answers with a JSON array of messages. Each is sent as soon as it is made, so that a long pull
    /// takes no memory.
    pub(super) async fn answer(
        self,
        backend: &Arc<Backend>,
        admitted: Admitted,
    ) -> Result<Response, Refused> {
        let Self { body, limit, length } = self;
        // A slow link is given the time that it takes, and a client that only pretends is not.
        let patience = backend.limits.handshake + transfer_time(length);
        let body = match timeout(patience, axum::body::to_bytes(body, limit)).await {
            Ok(Ok(body)) => body,
            Ok(Err(_)) => return Err(too_large(limit)),
            Err(_) => {
                let problem = "the request came too slowly";
                return Err(Refused::new(StatusCode::REQUEST_TIMEOUT, problem));
            }
        };
        let request = std::str::from_utf8(&body)
            .map_err(|_| Refused::new(StatusCode::BAD_REQUEST, "the request is not UTF-8"))?;
        let Admitted { room, grant, .. } = admitted;
        let mut driver = Driver::new(backend, room, Transport::Http, &grant);
        driver.receive(request);
        let json = [(header::CONTENT_TYPE, "application/json")];
        Ok((json, Body::from_stream(stream::unfold(Some((driver, '[')), next))).into_response())
    }
}

fn too_large(limit: usize) -> Refused {
    let problem = format!("a request may have at most {limit} bytes");
    Refused::new(StatusCode::PAYLOAD_TOO_LARGE, problem)
}

type State = Option<(Driver, char)>;

/// Returns the next piece of the array. The state is the driver, and the character before its next
/// message.
async fn next(state: State) -> Option<(Result<Bytes, Infallible>, State)> {
    let (mut driver, before) = state?;
    loop {
        if let Some(Step::Send(frame)) = driver.step() {
            driver.acknowledge_all();
            let piece = format!("{before}{frame}");
            return Some((Ok(piece.into()), Some((driver, ','))));
        }
        if driver.is_idle() {
            let end = if before == '[' { "[]" } else { "]" };
            return Some((Ok(end.into()), None));
        }
        driver.wait().await;
    }
}
