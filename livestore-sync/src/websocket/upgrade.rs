//! From HTTP to a WebSocket (RFC 6455, section 4.1).
//!
//! The request goes through the HTTP client that [`Http`](crate::Http) uses, too: it reads an answer
//! however slowly it comes, and whatever it is.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{self, HeaderMap, HeaderName};
use hyper::upgrade::Upgraded;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::net::{Address, Counted, End, MAX_MESSAGE_BYTES, Options, Traffic, dial};

/// A WebSocket.
pub(super) type Stream = WebSocketStream<TokioIo<Upgraded>>;

/// In bytes. The buffer is zeroed for each read, and most reads are short; frames may be larger.
const READ_BUFFER: usize = 4 << 10;

const MAX_REFUSAL_BYTES: usize = 4096;
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(2);

/// Connects, and asks for a WebSocket.
pub(super) async fn open(
    options: &Options,
    address: &Address,
    traffic: Arc<Traffic>,
) -> Result<Stream, End> {
    let limit = options.connect_timeout;
    let socket = timely(limit, dial(address)).await?.map_err(End::disconnected)?;
    let io = TokioIo::new(Counted::new(socket, traffic));
    let (mut sender, connection) =
        timely(limit, http1::handshake(io)).await?.map_err(End::disconnected)?;
    // Ends with this function, or with the upgrade.
    let mut running = JoinSet::new();
    running.spawn(connection.with_upgrades());
    let key = generate_key();
    let request = upgrade_request(options, address, &key)?;
    let mut response = timely(limit, sender.send_request(request)).await?.map_err(End::broken)?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(refusal(response).await);
    }
    check_accepted(response.headers(), &key)?;
    let upgraded = hyper::upgrade::on(&mut response);
    let upgraded = timely(limit, upgraded).await?.map_err(End::broken)?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES));
    let io = TokioIo::new(upgraded);
    Ok(WebSocketStream::from_raw_socket(io, Role::Client, Some(config)).await)
}

async fn timely<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, End> {
    timeout(limit, work).await.map_err(|_| End::disconnected("connecting takes too long"))
}

fn upgrade_request(
    options: &Options,
    address: &Address,
    key: &str,
) -> Result<Request<Empty<Bytes>>, End> {
    let mut request = Request::get(address.target.as_str())
        .header(header::HOST, address.authority.as_str())
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, key);
    for (name, value) in &options.headers {
        request = request.header(name, value.as_str());
    }
    request.body(Empty::new()).map_err(End::disconnected)
}

fn check_accepted(headers: &HeaderMap, key: &str) -> Result<(), End> {
    let is = |name: HeaderName, expected: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.eq_ignore_ascii_case(expected))
    };
    let accepts = is(header::UPGRADE, "websocket")
        && is(header::SEC_WEBSOCKET_ACCEPT, &derive_accept_key(key.as_bytes()));
    if accepts {
        return Ok(());
    }
    Err(End::disconnected("whoever answers does not speak WebSocket: a proxy, or a wrong URL"))
}

/// Reads the answer of a backend that refuses to upgrade. Some of it may not have arrived yet.
async fn refusal(response: Response<Incoming>) -> End {
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, MAX_REFUSAL_BYTES).collect();
    let body = match timeout(REFUSAL_TIMEOUT, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        _ => Bytes::new(),
    };
    End::answer(&parts, &body, ["ws", "wss"])
}
