//! Routes.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use livestore_protocol::Secret;
use livestore_protocol::{ConnectQuery, Transport};
use tokio::sync::oneshot;

use super::arrivals::Arrivals;
use super::credentials::Credentials;
use super::driver::Driver;
use super::rpc::Post;
use super::socket::{Client, End};
use super::upgrade::{Socket, Upgrade};
use super::{Backend, Seat};
use crate::auth::{Attempt, Grant};
use crate::hub::Room;
use crate::store::{RESERVED, Reply, StoreError, StoreId, is_reserved};

const INFO: &str = "Info: sync backend endpoint for LiveStore.\n";

/// A client that was admitted.
pub(super) struct Admitted {
    pub(super) room: Arc<Room>,
    pub(super) grant: Grant,
    pub(super) credentials: Credentials,
}

/// A request that is not carried out, and why, for the client and the operator.
pub(super) struct Refused {
    status: StatusCode,
    reason: String,
}

impl Refused {
    pub(super) fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into() }
    }
}

/// The routes. Clients may use any path.
pub(super) fn router(backend: Arc<Backend>) -> Router {
    Router::new()
        .route("/health", get(async || "ok\n"))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .fallback(connect)
        .with_state(backend)
}

async fn ready(State(backend): State<Arc<Backend>>) -> Response {
    if *backend.drain.borrow() {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    match ask(|reply| backend.hub.store().check(reply)).await {
        Ok(()) => plain(StatusCode::OK, "ready\n"),
        Err(error) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")),
    }
}

async fn metrics(State(backend): State<Arc<Backend>>) -> Response {
    let kind =
        HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], backend.metrics.render()).into_response()
}

async fn connect(State(backend): State<Arc<Backend>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut response = match parts.method {
        Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        Method::GET | Method::POST => answer(&backend, parts, body).await,
        _ => {
            backend.metrics.refused_total.add(1);
            StatusCode::METHOD_NOT_ALLOWED.into_response()
        }
    };
    allow_browsers(&mut response);
    response
}

async fn answer(backend: &Arc<Backend>, parts: Parts, body: Body) -> Response {
    let query = match ConnectQuery::decode(parts.uri.query().unwrap_or_default()) {
        Ok(query) => query,
        // As LiveStore's backend does: a request without parameters is answered with what this is.
        Err(problem) => {
            backend.metrics.refused_total.add(1);
            tracing::debug!(reason = %problem, "a request is not that of a client");
            return plain(StatusCode::OK, format!("{INFO}{problem}\n"));
        }
    };
    admit(backend, &query, parts, body).await.unwrap_or_else(|Refused { status, reason }| {
        backend.metrics.refused_total.add(1);
        let store = &*query.store_id;
        tracing::info!(store, status = status.as_u16(), reason, "refused a connection");
        plain(status, reason)
    })
}

async fn admit(
    backend: &Arc<Backend>,
    query: &ConnectQuery,
    mut parts: Parts,
    body: Body,
) -> Result<Response, Refused> {
    match (query.transport, parts.method == Method::POST) {
        (Transport::Http, true) => {
            let request = Post::from_request(&parts, body, backend.limits.message_bytes)?;
            let admitted = enter(backend, query, &parts).await?;
            request.answer(backend, admitted).await
        }
        (Transport::Http, false) => {
            Err(Refused::new(StatusCode::METHOD_NOT_ALLOWED, "transport=http is for POST"))
        }
        (Transport::WebSocket, _) => {
            let upgrade = Upgrade::from_request(&mut parts)
                .map_err(|problem| Refused::new(StatusCode::UPGRADE_REQUIRED, problem))?;
            let admitted = enter(backend, query, &parts).await?;
            let seat = parts.extensions.remove::<Seat>();
            let arrivals = parts.extensions.remove::<Arrivals>().unwrap_or_default();
            Ok(open_socket(backend, upgrade, admitted, seat, arrivals))
        }
    }
}

/// Admits a client, if it has the right to connect.
async fn enter(
    backend: &Backend,
    query: &ConnectQuery,
    parts: &Parts,
) -> Result<Admitted, Refused> {
    let bad_request = |error: String| Refused::new(StatusCode::BAD_REQUEST, error);
    let store = StoreId::new(&query.store_id).map_err(|error| bad_request(error.to_string()))?;
    if is_reserved(&store) {
        return Err(bad_request(format!("a store id cannot begin with `{RESERVED}`")));
    }
    let payload = query.payload.as_ref().map(Secret::as_str);
    let attempt = Attempt { store: &store, payload, headers: &parts.headers };
    // A change from now on counts as one after the decision.
    let revision = backend.auth.revision();
    let decision = backend.auth.authenticate(&attempt).await;
    let grant = decision.map_err(|denied| bad_request(denied.to_string()))?;
    match ask(|reply| backend.hub.enter(&store, reply)).await {
        Ok(room) => {
            let (payload, headers) = (query.payload.clone(), parts.headers.clone());
            let credentials = Credentials::new(store, payload, headers, revision);
            Ok(Admitted { room, grant, credentials })
        }
        Err(error) => Err(Refused::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())),
    }
}

/// Waits for an answer of the storage.
async fn ask<T: Send + 'static>(question: impl FnOnce(Reply<T>)) -> Result<T, StoreError> {
    let (reply, answer) = oneshot::channel();
    question(Box::new(move |result| drop(reply.send(result))));
    answer.await.unwrap_or(Err(StoreError::Closed))
}

fn open_socket(
    backend: &Arc<Backend>,
    upgrade: Upgrade,
    admitted: Admitted,
    seat: Option<Seat>,
    arrivals: Arrivals,
) -> Response {
    let (response, socket) = upgrade.accept(backend.limits.message_bytes);
    let backend = Arc::clone(backend);
    tokio::spawn(async move {
        if let Some(socket) = socket.await {
            Box::pin(serve_socket(&backend, socket, admitted, arrivals)).await;
        }
        drop(seat);
    });
    response
}

async fn serve_socket(backend: &Backend, socket: Socket, admitted: Admitted, arrivals: Arrivals) {
    let Admitted { room, grant, credentials } = admitted;
    let store = room.id().clone();
    let driver = Driver::new(backend, room, Transport::WebSocket, &grant);
    let (limits, drain) = (&backend.limits, backend.drain.subscribe());
    tracing::debug!(%store, "a client has connected");
    let auth = &*backend.auth;
    let client = Client { socket, arrivals, driver, limits, auth, credentials, grant, drain };
    match client.serve().await {
        End::Left => tracing::debug!(%store, "a client has left"),
        End::Closed(code, reason) => {
            backend.metrics.cut_total.add(1);
            tracing::info!(%store, %code, reason, "closed a connection");
        }
    }
}

/// Any web page may connect to this server: its rights depend on its token, never on a cookie.
pub(crate) fn allow_browsers(response: &mut Response) {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "*, authorization"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

fn plain(status: StatusCode, text: impl Into<String>) -> Response {
    (status, text.into()).into_response()
}
