//! Images of states: one POST, beside the connections.

use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use livestore::sync::{ImageReply, ImageRequest};
use livestore_protocol::{SCHEMA_HASH_HEADER, Transport};
use tokio::time::timeout;

use super::{dial, spawn_task};
use crate::net::{Address, End, Options};

/// The time that the backend may be silent: it may have to make the state of all events first.
const SILENCE: Duration = Duration::from_secs(30);

/// The most bytes of the reason for a refusal.
const MAX_REASON_BYTES: usize = 4 << 10;

/// Requests an image, and passes it to `reply`.
pub(crate) fn image(options: &Options, request: ImageRequest, reply: ImageReply) {
    let theirs = options.clone();
    let task = async move {
        let fetched = timeout(request.timeout, fetch(&theirs, &request)).await;
        reply(match fetched {
            Ok(fetched) => fetched.map_err(|end| end.reason),
            Err(_) => Err("the image did not come in time".to_owned()),
        });
    };
    spawn_task(&options.place, Box::pin(task));
}

async fn fetch(options: &Options, request: &ImageRequest) -> Result<Vec<u8>, End> {
    let address =
        Address::new(&options.url, &request.connect, Transport::Http).map_err(End::disconnected)?;
    let post = post(options, &address, request.schema_hash)?;
    let connecting = timeout(options.connect_timeout, dial(&address)).await;
    let socket = connecting.map_err(|_| End::disconnected("connecting takes too long"))?;
    let socket = TokioIo::new(socket.map_err(End::disconnected)?);
    let (mut sender, connection) = http1::handshake(socket).await.map_err(End::broken)?;
    // It ends with the sender; its errors are those of the request.
    tokio::spawn(connection);
    let mut response = timely(sender.send_request(post)).await?.map_err(End::broken)?;
    let is_image = response.status() == StatusCode::OK;
    let limit = usize::try_from(request.max_bytes).unwrap_or(usize::MAX);
    let body = read(&mut response, if is_image { limit } else { MAX_REASON_BYTES }).await?;
    match is_image {
        true => Ok(body),
        false => Err(End::disconnected(format!(
            "the backend answers {}: {}",
            response.status().as_u16(),
            String::from_utf8_lossy(&body).trim()
        ))),
    }
}

fn post(
    options: &Options,
    address: &Address,
    schema_hash: i64,
) -> Result<Request<Empty<Bytes>>, End> {
    let (path, query) = address.target.as_str().split_once('?').unwrap_or_default();
    let mut post = Request::post(format!("{}/image?{query}", path.trim_end_matches('/')))
        .header("host", address.authority.as_str())
        .header("accept-encoding", "identity")
        .header(SCHEMA_HASH_HEADER, schema_hash);
    for (name, value) in &options.headers {
        post = post.header(name, value.as_str());
    }
    post.body(Empty::new()).map_err(End::disconnected)
}

/// Reads a body of at most this many bytes. Every byte is a sign of life.
async fn read(response: &mut Response<Incoming>, limit: usize) -> Result<Vec<u8>, End> {
    let mut body = Vec::new();
    while let Some(frame) = timely(response.body_mut().frame()).await? {
        let bytes = frame.map_err(End::broken)?.into_data().unwrap_or_default();
        if bytes.len() > limit.saturating_sub(body.len()) {
            return Err(End::disconnected(format!("the image has more than {limit} bytes")));
        }
        body.extend_from_slice(&bytes);
    }
    Ok(body)
}

async fn timely<T>(work: impl Future<Output = T>) -> Result<T, End> {
    timeout(SILENCE, work).await.map_err(|_| End::disconnected("the backend does not answer"))
}
