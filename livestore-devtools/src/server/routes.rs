//! The two routes: the page, and its socket. Who is let in.

use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::socket;
use crate::host::Host;
use crate::page::PAGE;

/// The page needs nothing from anywhere, and nobody may frame it. Its own policy is narrower: it has the
/// hashes of its script and style.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
    img-src data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The most bytes of a message of the page's.
const MAX_MESSAGE: usize = 8 << 20;

/// Decides who is let in.
///
/// A web page of anybody's may try to reach a server on this machine. It can do so only under a name that
/// resolves to it (so the `Host` is checked), it cannot hide where it comes from (so the `Origin` is), and
/// it cannot guess the token.
pub(super) struct Gate {
    token: String,
    /// What a `Host` header may be.
    hosts: Vec<String>,
}

impl Gate {
    pub(super) fn new(token: String, address: SocketAddr, names: Vec<String>) -> Self {
        let own = ["127.0.0.1", "localhost", "[::1]"].map(str::to_owned);
        let port = address.port();
        let with_port = |name: String| format!("{}:{port}", name.to_ascii_lowercase());
        Self { token, hosts: own.into_iter().chain(names).map(with_port).collect() }
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    fn has_host(&self, headers: &HeaderMap) -> bool {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        host.is_some_and(|host| self.is_own(host))
    }

    /// A browser always says where a page comes from that opens a socket; other programs may not.
    fn has_origin(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(header::ORIGIN) else { return true };
        let host = origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
        host.is_some_and(|host| self.is_own(host))
    }

    fn is_own(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.hosts.iter().any(|own| *own == host || own.strip_suffix(":80") == Some(&host))
    }

    /// Takes as long for every token of the right length.
    fn has_token(&self, query: Option<&str>) -> bool {
        let mut pairs = query.unwrap_or_default().split('&');
        let Some(token) = pairs.find_map(|pair| pair.strip_prefix("token=")) else { return false };
        let differences =
            token.bytes().zip(self.token.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
        token.len() == self.token.len() && differences == 0
    }
}

pub(super) fn answer(
    mut request: Request<Incoming>,
    gate: &Gate,
    host: Arc<Host>,
) -> Response<Full<Bytes>> {
    if !gate.has_host(request.headers()) || !gate.has_origin(request.headers()) {
        return text(StatusCode::FORBIDDEN, "the devtools are only for pages of their own address");
    }
    if request.method() != Method::GET {
        return text(
            StatusCode::METHOD_NOT_ALLOWED,
            "the devtools have only a page and its socket",
        );
    }
    match request.uri().path() {
        "/" => page(),
        "/socket" => open_socket(&mut request, gate, host),
        _ => text(StatusCode::NOT_FOUND, "the devtools have only a page and its socket"),
    }
}

fn page() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(PAGE.as_bytes())));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}

fn open_socket(
    request: &mut Request<Incoming>,
    gate: &Gate,
    host: Arc<Host>,
) -> Response<Full<Bytes>> {
    let is_welcome = gate.has_token(request.uri().query());
    let headers = request.headers();
    let is = |name, value: &str| {
        let found = headers.get(name).and_then(|found: &HeaderValue| found.to_str().ok());
        found.is_some_and(|found| found.eq_ignore_ascii_case(value))
    };
    let is_upgrade = is(header::UPGRADE, "websocket");
    if !is_welcome && !is_upgrade {
        return text(StatusCode::UNAUTHORIZED, "the token is wrong");
    }
    if !is_upgrade || !is(header::SEC_WEBSOCKET_VERSION, "13") {
        return text(StatusCode::UPGRADE_REQUIRED, "the socket is a WebSocket");
    }
    let Some(key) = headers.get(header::SEC_WEBSOCKET_KEY) else {
        return text(StatusCode::BAD_REQUEST, "Sec-WebSocket-Key is missing");
    };
    let Ok(accept) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) else {
        return text(StatusCode::BAD_REQUEST, "Sec-WebSocket-Key is not valid");
    };
    let upgrade = hyper::upgrade::on(request);
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE))
            .max_frame_size(Some(MAX_MESSAGE));
        let io = TokioIo::new(upgraded);
        let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        if is_welcome {
            socket::converse(socket, &host).await;
        } else {
            // A browser shows a page no more of a refusal than this.
            socket::refuse(socket).await;
        }
    });
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    response
}

fn text(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response
}
