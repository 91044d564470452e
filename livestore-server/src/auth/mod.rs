//! Authentication: who may do what.
//!
//! A client sends a token with its connection; [`Authenticate`] turns it into [`Rights`] to one
//! store. The token is never logged.

mod identity;
mod jwks;
mod jwt;
mod tokens;
mod watched;

use std::fmt;
use std::future::{Ready, ready};
use std::pin::Pin;

use axum::http::{HeaderMap, header};
use livestore_protocol::Timestamp;
use serde::Deserialize;

use crate::store::StoreId;

pub use identity::Identity;
pub use jwt::Jwt;
pub use tokens::TokenFile;
pub use watched::SecretFileError;

/// Decides which client may do what.
pub trait Authenticate: Send + Sync + 'static {
    /// Decides about a client that connects, or makes one request over HTTP.
    fn authenticate<'a>(&'a self, attempt: &'a Attempt<'a>) -> Decision<'a>;

    /// Returns a number that changes whenever earlier decisions may no longer hold, such as when a token
    /// was removed: the clients that are connected are then authenticated again, within seconds, and
    /// those that are denied are disconnected. It is asked for often, and must be quick.
    fn revision(&self) -> u64 {
        0
    }
}

/// A decision of [`Authenticate`].
pub type Decision<'a> = Pin<Box<dyn Future<Output = Result<Grant, Denied>> + Send + 'a>>;

/// A client that wants to connect. `Debug` omits everything that may contain a token.
pub struct Attempt<'a> {
    /// The store that the client wants to connect to.
    pub store: &'a StoreId,
    /// The app's payload (`syncPayload`), as JSON.
    pub payload: Option<&'a str>,
    /// The headers of the HTTP request.
    pub headers: &'a HeaderMap,
}

/// A client's rights, how long they last, and who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The rights.
    pub rights: Rights,
    /// The time at which the connection ends, or `None` if the rights do not expire.
    pub until: Option<Timestamp>,
    /// Who the client is, as far as that is known.
    pub identity: Identity,
}

/// A client's rights to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights {
    /// Whether it may pull.
    pub read: bool,
    /// Whether it may push.
    pub write: bool,
}

impl Rights {
    /// All rights.
    pub const ALL: Self = Self { read: true, write: true };

    /// Reads `read`, `write` or `read,write`.
    fn parse(text: &str) -> Option<Self> {
        match text {
            "read" => Some(Self { read: true, write: false }),
            "write" => Some(Self { read: false, write: true }),
            "read,write" => Some(Self::ALL),
            _ => None,
        }
    }

    fn or(self, other: Self) -> Self {
        Self { read: self.read || other.read, write: self.write || other.write }
    }
}

/// The reason why a client may not connect. It is sent to the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Denied(pub String);

/// Gives everyone all rights.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoAuth;

impl Authenticate for NoAuth {
    fn authenticate<'a>(&'a self, _: &'a Attempt<'a>) -> Decision<'a> {
        decided(Ok(Grant { rights: Rights::ALL, until: None, identity: Identity::UNKNOWN }))
    }
}

impl Attempt<'_> {
    /// Returns the client's token: `authToken` or `token` of the payload, or the one in the
    /// `Authorization: Bearer` header.
    ///
    /// # Errors
    /// If there is none.
    pub fn token(&self) -> Result<String, Denied> {
        #[derive(Deserialize)]
        struct Payload {
            #[serde(rename = "authToken")]
            auth_token: Option<String>,
            token: Option<String>,
        }
        let payload = self.payload.and_then(|json| serde_json::from_str::<Payload>(json).ok());
        payload
            .and_then(|payload| payload.auth_token.or(payload.token))
            .or_else(|| self.bearer().map(str::to_owned))
            .ok_or_else(|| {
                Denied("a token is required: `authToken` in the sync payload".to_owned())
            })
    }

    fn bearer(&self) -> Option<&str> {
        let value = self.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    }
}

impl fmt::Debug for Attempt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt").field("store", &self.store).finish_non_exhaustive()
    }
}

/// Returns a decision that is made already.
fn decided<'a>(decision: Result<Grant, Denied>) -> Decision<'a> {
    let decision: Ready<_> = ready(decision);
    Box::pin(decision)
}

/// Returns whether a pattern, in which `*` matches any text, matches a store id.
fn covers(pattern: &str, store: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = store.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_store_ids() {
        let cases = [
            ("*", "", true),
            ("*", "a/b*c", true),
            ("a", "a", true),
            ("a", "ab", false),
            ("a", "b", false),
            ("team-*", "team-", true),
            ("team-*", "team-1", true),
            ("team-*", "tea", false),
            ("*-public", "a-public", true),
            ("*-public", "a-public-b", false),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "a1c", false),
            ("a*a", "a", false),
            ("**", "x", true),
        ];
        for (pattern, store, expected) in cases {
            assert_eq!(covers(pattern, store), expected, "{pattern} {store}");
        }
    }

    #[test]
    fn a_token_is_found_where_clients_put_it() {
        let store = StoreId::new("s").unwrap();
        let with = |payload, header: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(value) = header {
                headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            }
            Attempt { store: &store, payload, headers: &headers }.token().ok()
        };
        assert_eq!(with(Some(r#"{"authToken":"a"}"#), None).as_deref(), Some("a"));
        assert_eq!(with(Some(r#"{"token":"b","more":[1]}"#), None).as_deref(), Some("b"));
        assert_eq!(with(None, Some("Bearer c")).as_deref(), Some("c"));
        assert_eq!(with(Some(r#"{"authToken":"a"}"#), Some("bearer c")).as_deref(), Some("a"));
        assert_eq!(with(Some(r#"{"authToken":1}"#), None), None);
        assert_eq!(with(Some("7"), Some("Basic eA==")), None);
    }
}
