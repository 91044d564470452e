//! Images of states: one POST, beside the connections.

use std::time::Duration;

use livestore::sync::{ImageReply, ImageRequest};
use livestore_protocol::Transport;

use super::platform::{ImageAnswer, spawn, timeout};
use super::{Address, End, Options};

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
            Some(fetched) => fetched.map_err(|end| end.reason),
            None => Err("the image did not come in time".to_owned()),
        });
    };
    // The reason why there is no thread is that of the connection, too, which says it.
    let _ = spawn(&options.place, task);
}

async fn fetch(options: &Options, request: &ImageRequest) -> Result<Vec<u8>, End> {
    let address =
        Address::new(&options.url, &request.connect, Transport::Http).map_err(End::disconnected)?;
    let (path, query) = address.target.as_str().split_once('?').unwrap_or_default();
    let target = format!("{}/image?{query}", path.trim_end_matches('/'));
    let asked = ImageAnswer::request(options, &address, &target, request.schema_hash);
    let mut answer = timely(asked).await??;
    let is_image = answer.status() == 200;
    let limit = usize::try_from(request.max_bytes).unwrap_or(usize::MAX);
    let body = read(&mut answer, if is_image { limit } else { MAX_REASON_BYTES }).await?;
    match is_image {
        true => Ok(body),
        false => Err(End::disconnected(format!(
            "the backend answers {}: {}",
            answer.status(),
            String::from_utf8_lossy(&body).trim()
        ))),
    }
}

/// Reads a body of at most this many bytes. Every byte is a sign of life.
async fn read(answer: &mut ImageAnswer, limit: usize) -> Result<Vec<u8>, End> {
    let mut body = Vec::new();
    while let Some(bytes) = timely(answer.read()).await?? {
        if bytes.len() > limit.saturating_sub(body.len()) {
            return Err(End::disconnected(format!("the image has more than {limit} bytes")));
        }
        body.extend_from_slice(&bytes);
    }
    Ok(body)
}

async fn timely<T>(work: impl Future<Output = T>) -> Result<T, End> {
    timeout(SILENCE, work).await.ok_or_else(|| End::disconnected("the backend does not answer"))
}
