//! From HTTP to a WebSocket (RFC 6455, section 4.2).

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// A WebSocket.
pub(super) type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// The read buffer of an idle socket in bytes; frames may be larger.
const READ_BUFFER: usize = 2 << 10;

/// A client that wants a WebSocket.
pub(super) struct Upgrade {
    accept_key: HeaderValue,
    connection: OnUpgrade,
}

impl Upgrade {
    /// Returns the upgrade that the request asks for, or the problem with it.
    pub(super) fn from_request(parts: &mut Parts) -> Result<Self, &'static str> {
        let headers = &parts.headers;
        if !has(headers, &header::CONNECTION, "upgrade")
            || !has(headers, &header::UPGRADE, "websocket")
        {
            return Err("transport=ws needs a WebSocket upgrade");
        }
        if !has(headers, &header::SEC_WEBSOCKET_VERSION, "13") {
            return Err("only version 13 of WebSocket is supported");
        }
        let key = headers.get(header::SEC_WEBSOCKET_KEY).ok_or("Sec-WebSocket-Key is missing")?;
        let accept_key = HeaderValue::from_str(&derive_accept_key(key.as_bytes()))
            .map_err(|_| "Sec-WebSocket-Key is not valid")?;
        let connection = parts.extensions.remove().ok_or("the connection cannot be upgraded")?;
        Ok(Self { accept_key, connection })
    }

    /// Returns the answer, and the socket that it opens once it has been sent.
    pub(super) fn accept(
        self,
        message_bytes: usize,
    ) -> (Response, impl Future<Output = Option<Socket>> + Send) {
        let headers = [
            (header::CONNECTION, HeaderValue::from_static("Upgrade")),
            (header::UPGRADE, HeaderValue::from_static("websocket")),
            (header::SEC_WEBSOCKET_ACCEPT, self.accept_key),
        ];
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_frame_size(Some(message_bytes))
            .max_message_size(Some(message_bytes));
        let socket = async move {
            let io = TokioIo::new(self.connection.await.ok()?);
            Some(WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await)
        };
        ((StatusCode::SWITCHING_PROTOCOLS, headers, Body::empty()).into_response(), socket)
    }
}

/// Returns whether the header contains the word.
fn has(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|found| found.trim().eq_ignore_ascii_case(word))
}
