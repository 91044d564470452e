//! A client that sends its requests by POST.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use hyper::body::Body as _;
use livestore_protocol::{Transport, transfer_time};
use tokio::time::timeout;

use super::driver::{Driver, Step};
use super::routes::Admitted;
use super::{Backend, routes::plain};

/// Answers one request with a JSON array of messages. Each is sent as soon as it is made, so that a
/// long pull takes no memory.
pub(super) async fn answer(backend: &Arc<Backend>, admitted: Admitted, body: Body) -> Response {
    let limits = &backend.limits;
    // A slow link is given the time that it takes, and a client that only pretends is not.
    let length = body.size_hint().exact().and_then(|length| usize::try_from(length).ok());
    let length = length.unwrap_or(limits.message_bytes).min(limits.message_bytes);
    let read = axum::body::to_bytes(body, limits.message_bytes);
    let body = match timeout(limits.handshake + transfer_time(length), read).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            let problem = format!("a request may have at most {} bytes", limits.message_bytes);
            return plain(StatusCode::PAYLOAD_TOO_LARGE, problem);
        }
        Err(_) => return plain(StatusCode::REQUEST_TIMEOUT, "the request came too slowly"),
    };
    let Ok(request) = std::str::from_utf8(&body) else {
        return plain(StatusCode::BAD_REQUEST, "the request is not UTF-8");
    };
    let metrics = Arc::clone(&backend.metrics);
    let mut driver = Driver::new(admitted.room, Transport::Http, admitted.grant.rights, metrics);
    driver.receive(request);
    let json = [(header::CONTENT_TYPE, "application/json")];
    (json, Body::from_stream(stream::unfold(Some((driver, '[')), next))).into_response()
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
