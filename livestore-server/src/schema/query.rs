//! The state over HTTP: one statement of SQL, which only reads.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use livestore::replica::{Query, Replica};
use livestore::schema::Schema;
use livestore::value::Value;
use livestore::{ErrorChain, SqliteError, SqliteErrorKind};
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{ReadError, States};
use crate::auth::{Attempt, Authenticate};
use crate::server::{Metrics, allow_browsers};
use crate::store::{StoreId, is_reserved};

/// The most bytes of a request.
const MAX_REQUEST: usize = 64 << 10;
/// The time that a client has for its request.
const REQUEST_TIME: Duration = Duration::from_secs(10);

/// Limits of the queries that clients make over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueryLimits {
    /// The most rows of an answer. It says that it is cut short.
    pub rows: usize,
    /// The most bytes of an answer's rows, likewise.
    pub bytes: usize,
    /// The most bytes of each text and blob that the query reads or makes.
    pub value_bytes: u32,
    /// The time that a query may take. The store's state does nothing else meanwhile.
    pub time: Duration,
    /// The most queries at a time.
    pub concurrent: usize,
}

impl Default for QueryLimits {
    fn default() -> Self {
        Self {
            rows: 1_000,
            bytes: 4 << 20,
            value_bytes: 1 << 20,
            time: Duration::from_secs(2),
            concurrent: 4,
        }
    }
}

pub(super) struct Queries<S> {
    pub(super) states: States<S>,
    pub(super) auth: Arc<dyn Authenticate>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) limits: QueryLimits,
    pub(super) turns: Semaphore,
}

/// What a client asks.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Question {
    store_id: String,
    sql: String,
    #[serde(default)]
    params: Vec<serde_json::Value>,
}

/// A question that is not answered, and why.
struct Refused(StatusCode, String);

pub(super) fn router<S: Schema>(queries: Arc<Queries<S>>) -> Router {
    Router::new().route("/query", any(answer::<S>)).with_state(queries)
}

async fn answer<S: Schema>(State(queries): State<Arc<Queries<S>>>, request: Request) -> Response {
    let mut response = match *request.method() {
        Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        Method::POST => {
            queries.metrics.schema.queries_total.add(1);
            queries.answer(request).await
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    };
    allow_browsers(&mut response);
    response
}

impl<S: Schema> Queries<S> {
    async fn answer(&self, request: Request) -> Response {
        let (status, json) = match self.ask(request).await {
            Ok(json) => (StatusCode::OK, json),
            Err(Refused(status, problem)) => {
                self.metrics.schema.queries_failed_total.add(1);
                (status, serde_json::json!({ "error": problem }).to_string())
            }
        };
        (status, [(header::CONTENT_TYPE, "application/json")], json).into_response()
    }

    async fn ask(&self, request: Request) -> Result<String, Refused> {
        let (parts, body) = request.into_parts();
        let question = read(body).await?;
        let bad_request = |problem: String| Refused(StatusCode::BAD_REQUEST, problem);
        let store =
            StoreId::new(&question.store_id).map_err(|error| bad_request(error.to_string()))?;
        let attempt = Attempt { store: &store, payload: None, headers: &parts.headers };
        let decision = self.auth.authenticate(&attempt).await;
        let grant =
            decision.map_err(|denied| Refused(StatusCode::UNAUTHORIZED, denied.to_string()))?;
        if !grant.rights.read || is_reserved(&store) {
            let problem = "this token may not read the store".to_owned();
            return Err(Refused(StatusCode::FORBIDDEN, problem));
        }
        let params = question.params.iter().map(param).collect::<Option<Vec<_>>>();
        let params = params.ok_or_else(|| {
            bad_request("params have to be null, true, false, numbers or texts".to_owned())
        })?;
        let busy = || Refused::from(ReadError::Busy);
        // The semaphore is never closed.
        let _turn = self.turns.try_acquire().map_err(|_| busy())?;
        let (limits, sql) = (self.limits.clone(), question.sql);
        let rows =
            self.states.run(&store, move |state| limits.rows_of(state, &sql, params)).await?;
        Ok(rows.map_err(ReadError::from)?)
    }
}

async fn read(body: Body) -> Result<Question, Refused> {
    let body = match timeout(REQUEST_TIME, axum::body::to_bytes(body, MAX_REQUEST)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            let problem = format!("a request may have at most {MAX_REQUEST} bytes");
            return Err(Refused(StatusCode::PAYLOAD_TOO_LARGE, problem));
        }
        Err(_) => {
            let problem = "the request came too slowly".to_owned();
            return Err(Refused(StatusCode::REQUEST_TIMEOUT, problem));
        }
    };
    serde_json::from_slice(&body).map_err(|error| {
        let problem = format!(r#"the request is not {{"storeId", "sql", "params"}}: {error}"#);
        Refused(StatusCode::BAD_REQUEST, problem)
    })
}

fn param(json: &serde_json::Value) -> Option<Value<'static>> {
    Some(match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Integer(i64::from(*value)),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(integer) => Value::Integer(integer),
            None => Value::Real(number.as_f64()?),
        },
        serde_json::Value::String(text) => Value::text(text.clone()),
        serde_json::Value::Array(_) | serde_json::Value::Object(_) => return None,
    })
}

impl QueryLimits {
    /// Returns the answer as JSON; blocks.
    fn rows_of<S: Schema>(
        &self,
        state: &mut Replica<S>,
        sql: &str,
        params: Vec<Value<'static>>,
    ) -> Result<String, SqliteError> {
        let head = state.head().global;
        let end = Instant::now() + self.time;
        state.read_sql(
            sql,
            self.value_bytes,
            move || Instant::now() >= end,
            |query| self.write(head, query.bind(params)),
        )
    }

    fn write(&self, head: u64, query: Query<'_>) -> Result<String, SqliteError> {
        let mut json = format!(r#"{{"head":{head},"columns":"#);
        json.push_str(&serde_json::json!(query.columns()).to_string());
        json.push_str(r#","rows":["#);
        let (begin, mut rows, mut is_cut) = (json.len(), 0, false);
        query.for_each(|values| {
            let before = json.len();
            write_row(values, rows > 0, &mut json);
            rows += 1;
            is_cut = rows > self.rows || json.len() - begin > self.bytes;
            if is_cut {
                json.truncate(before);
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        json.push_str(if is_cut { r#"],"truncated":true}"# } else { r#"],"truncated":false}"# });
        Ok(json)
    }
}

fn write_row(values: &[Value<'_>], is_next: bool, json: &mut String) {
    json.push_str(if is_next { ",[" } else { "[" });
    for (n, value) in values.iter().enumerate() {
        if n > 0 {
            json.push(',');
        }
        // Writing to a `String` cannot fail.
        let _ = match value {
            Value::Null => write!(json, "null"),
            Value::Integer(integer) => write!(json, "{integer}"),
            // JSON has no infinity.
            Value::Real(real) => write!(json, "{}", serde_json::json!(real)),
            Value::Text(text) => write!(json, "{}", serde_json::json!(text)),
            Value::Blob(bytes) => write!(json, r#"{{"base64":"{}"}}"#, STANDARD.encode(bytes)),
        };
    }
    json.push(']');
}

impl From<ReadError> for Refused {
    fn from(error: ReadError) -> Self {
        let status = match &error {
            error if error.is_unknown() => StatusCode::NOT_FOUND,
            ReadError::Sql(error) if error.kind() == SqliteErrorKind::Interrupted => {
                let problem = "the query takes too long".to_owned();
                return Self(StatusCode::BAD_REQUEST, problem);
            }
            ReadError::Sql(error) if error.kind() == SqliteErrorKind::Limit => {
                let problem = "the query, or a text or blob in it, is too large".to_owned();
                return Self(StatusCode::BAD_REQUEST, problem);
            }
            ReadError::Query(_) | ReadError::Sql(_) => StatusCode::BAD_REQUEST,
            ReadError::Events(_) | ReadError::Busy => StatusCode::SERVICE_UNAVAILABLE,
            ReadError::State(_) | ReadError::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self(status, ErrorChain::new(&error).to_string())
    }
}
