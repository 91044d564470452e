//! Images of states over HTTP, for new clients of the same schema.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use livestore::ErrorChain;
use livestore::replica::Replica;
use livestore::schema::Schema;
use livestore_protocol::{ConnectQuery, SCHEMA_HASH_HEADER, Secret};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{ReadError, States};
use crate::auth::{Attempt, Authenticate};
use crate::server::{Metrics, allow_browsers};
use crate::store::{EventStore, StoreError, StoreId, StoreInfo, is_reserved};

/// Limits of the images that new clients are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImageLimits {
    /// The most bytes of an image. A client of a store that needs more replays all events.
    pub bytes: usize,
    /// The most images that are made or sent at a time. Each takes its bytes in memory meanwhile.
    pub concurrent: usize,
}

impl Default for ImageLimits {
    fn default() -> Self {
        Self { bytes: 256 << 20, concurrent: 4 }
    }
}

pub(super) struct Images<S> {
    pub(super) states: States<S>,
    pub(super) events: Arc<dyn EventStore>,
    pub(super) auth: Arc<dyn Authenticate>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) limits: ImageLimits,
    pub(super) turns: Arc<Semaphore>,
}

/// An image, which has one of the [turns](ImageLimits::concurrent) until all of it is sent.
struct Image {
    bytes: Vec<u8>,
    _turn: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Image {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// A client that gets no image, and why.
struct Refused(StatusCode, String);

pub(super) fn router<S: Schema>(images: Arc<Images<S>>) -> Router {
    Router::new().route("/image", any(answer::<S>)).with_state(images)
}

async fn answer<S: Schema>(State(images): State<Arc<Images<S>>>, request: Request) -> Response {
    let mut response = match *request.method() {
        Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        Method::POST => images.answer(request.into_parts().0).await,
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    };
    allow_browsers(&mut response);
    response
}

impl<S: Schema> Images<S> {
    async fn answer(&self, parts: Parts) -> Response {
        match self.image(parts).await {
            Ok(image) => {
                self.metrics.schema.images_total.add(1);
                let body = Body::from(Bytes::from_owner(image));
                ([(header::CONTENT_TYPE, "application/octet-stream")], body).into_response()
            }
            Err(Refused(status, reason)) => {
                self.metrics.schema.images_refused_total.add(1);
                (status, reason).into_response()
            }
        }
    }

    async fn image(&self, parts: Parts) -> Result<Image, Refused> {
        let bad_request = |problem: String| Refused(StatusCode::BAD_REQUEST, problem);
        let query = ConnectQuery::decode(parts.uri.query().unwrap_or_default())
            .map_err(|error| bad_request(error.to_string()))?;
        let store =
            StoreId::new(&query.store_id).map_err(|error| bad_request(error.to_string()))?;
        let payload = query.payload.as_ref().map(Secret::as_str);
        let attempt = Attempt { store: &store, payload, headers: &parts.headers };
        let decision = self.auth.authenticate(&attempt).await;
        let grant =
            decision.map_err(|denied| Refused(StatusCode::UNAUTHORIZED, denied.to_string()))?;
        if !grant.rights.read || is_reserved(&store) {
            let problem = "this token may not read the store".to_owned();
            return Err(Refused(StatusCode::FORBIDDEN, problem));
        }
        check_schema::<S>(&parts)?;
        let busy = || Refused::from(ReadError::Busy);
        // The semaphore is never closed.
        let turn = Arc::clone(&self.turns).try_acquire_owned().map_err(|_| busy())?;
        Ok(Image { bytes: self.make(&store).await?, _turn: turn })
    }

    async fn make(&self, store: &StoreId) -> Result<Vec<u8>, Refused> {
        // It fails if there is no such store: opening it would make one.
        let (bytes, limit) =
            (self.states.run(store, |state| state.bytes()).await?, self.limits.bytes);
        if bytes.map_err(ReadError::from)? > limit as u64 {
            let problem = format!("the state takes more than the {limit} bytes of an image");
            return Err(Refused(StatusCode::PAYLOAD_TOO_LARGE, problem));
        }
        let StoreInfo { backend_id, .. } = self.open(store).await.map_err(ReadError::from)?;
        let id = store.as_str().to_owned();
        let image = self.states.run(store, move |state| state.image(&id, &backend_id)).await?;
        image
            .map_err(ReadError::from)?
            .ok_or_else(|| Refused(StatusCode::NOT_FOUND, "the store has no events yet".to_owned()))
    }

    async fn open(&self, store: &StoreId) -> Result<StoreInfo, StoreError> {
        let (reply, opened) = oneshot::channel();
        self.events.open(store, Box::new(move |opened| drop(reply.send(opened))));
        opened.await.unwrap_or(Err(StoreError::Closed))
    }
}

/// Checks that the client has this server's schema.
fn check_schema<S: Schema>(parts: &Parts) -> Result<(), Refused> {
    let found = parts.headers.get(SCHEMA_HASH_HEADER).and_then(|hash| hash.to_str().ok());
    let Some(found) = found.and_then(|hash| hash.parse::<i64>().ok()) else {
        let problem = format!("the header {SCHEMA_HASH_HEADER} is not a number");
        return Err(Refused(StatusCode::BAD_REQUEST, problem));
    };
    match Replica::<S>::schema_hash() {
        Ok(hash) if hash == found => Ok(()),
        Ok(_) => {
            let problem = "the server has another schema than the client".to_owned();
            Err(Refused(StatusCode::CONFLICT, problem))
        }
        Err(error) => {
            let problem = ErrorChain::new(&error).to_string();
            Err(Refused(StatusCode::INTERNAL_SERVER_ERROR, problem))
        }
    }
}

impl From<ReadError> for Refused {
    fn from(error: ReadError) -> Self {
        let status = match &error {
            error if error.is_unknown() => StatusCode::NOT_FOUND,
            ReadError::Events(_) | ReadError::Busy => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self(status, ErrorChain::new(&error).to_string())
    }
}
