use std::fmt::Write;

use crate::Secret;
use serde::de::IgnoredAny;

/// The way in which a client talks to its backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// One connection, with messages both ways.
    WebSocket,
    /// A POST for every request.
    Http,
}

impl Transport {
    fn name(self) -> &'static str {
        match self {
            Self::WebSocket => "ws",
            Self::Http => "http",
        }
    }

    pub(super) fn methods(self) -> &'static str {
        match self {
            Self::WebSocket => "SyncWsRpc.",
            Self::Http => "SyncHttpRpc.",
        }
    }

    pub(super) fn strip_methods(method: &str) -> Option<&str> {
        [Self::WebSocket, Self::Http].iter().find_map(|on| method.strip_prefix(on.methods()))
    }
}

/// The header in which a client that asks `livestore-server` for an image of a store's state has the hash of
/// its schema. LiveStore's protocol has no such request.
pub const SCHEMA_HASH_HEADER: &str = "livestore-schema-hash";

/// The query of the URL: `storeId=…&transport=…[&payload=…]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectQuery {
    /// The id of the store.
    pub store_id: String,
    /// The transport.
    pub transport: Transport,
    /// JSON that the app sends to the backend, such as a token.
    pub payload: Option<Secret>,
}

/// The reason why a query cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// A field is missing.
    #[error("{field} is missing")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A field is there twice: a proxy might go by one of them, and the backend by the other.
    #[error("{field} is given twice")]
    Repeated {
        /// The field.
        field: &'static str,
    },
    /// The transport is unknown.
    #[error("transport is `{found}`, and not `ws` or `http`")]
    Transport {
        /// The transport.
        found: String,
    },
    /// The payload is not encoded JSON. It may hold a token, so it is not shown.
    #[error("payload is not JSON")]
    Payload,
    /// A `%` is not followed by two hexadecimal digits.
    #[error("bad percent-encoding in `{text}`")]
    Encoding {
        /// The text.
        text: String,
    },
    /// Decoded, a text is not UTF-8.
    #[error("`{text}` is not UTF-8")]
    NotUtf8 {
        /// The text, still encoded.
        text: String,
    },
}

impl ConnectQuery {
    /// Returns the query, without a question mark.
    pub fn encode(&self) -> String {
        let store_id = percent_encode(&self.store_id);
        let mut query = format!("storeId={store_id}&transport={}", self.transport.name());
        if let Some(payload) = &self.payload {
            // Twice, as LiveStore's client does.
            query.push_str("&payload=");
            query.push_str(&percent_encode(&percent_encode(payload.as_str())));
        }
        query
    }

    /// Reads a query. The payload may be encoded once or twice.
    ///
    /// # Errors
    /// If a field is missing, or cannot be read.
    pub fn decode(query: &str) -> Result<Self, QueryError> {
        let mut fields = Fields::default();
        for pair in query.split('&') {
            fields.set(pair)?;
        }
        Ok(Self {
            store_id: fields.store_id.ok_or(QueryError::Missing { field: "storeId" })?,
            transport: fields.transport.ok_or(QueryError::Missing { field: "transport" })?,
            payload: fields.payload.map(Secret::from),
        })
    }
}

#[derive(Default)]
struct Fields {
    store_id: Option<String>,
    transport: Option<Transport>,
    payload: Option<String>,
}

impl Fields {
    fn set(&mut self, pair: &str) -> Result<(), QueryError> {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decode = || percent_decode(&value.replace('+', " "));
        match name {
            "storeId" => set(&mut self.store_id, "storeId", decode()?),
            "transport" => set(&mut self.transport, "transport", decode_transport(&decode()?)?),
            "payload" => {
                let once = decode().map_err(|_| QueryError::Payload)?;
                set(&mut self.payload, "payload", decode_payload(&once)?)
            }
            _ => Ok(()),
        }
    }
}

fn set<T>(place: &mut Option<T>, field: &'static str, value: T) -> Result<(), QueryError> {
    match place.replace(value) {
        Some(_) => Err(QueryError::Repeated { field }),
        None => Ok(()),
    }
}

fn decode_transport(name: &str) -> Result<Transport, QueryError> {
    match name {
        "ws" => Ok(Transport::WebSocket),
        "http" => Ok(Transport::Http),
        other => Err(QueryError::Transport { found: other.to_owned() }),
    }
}

fn decode_payload(once: &str) -> Result<String, QueryError> {
    if is_json(once) {
        return Ok(once.to_owned());
    }
    let twice = percent_decode(once).map_err(|_| QueryError::Payload)?;
    if is_json(&twice) { Ok(twice) } else { Err(QueryError::Payload) }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Encodes all that JavaScript's `encodeURIComponent` does, and `!'()*`.
fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            // Writing to a `String` cannot fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
    out
}

fn percent_decode(text: &str) -> Result<String, QueryError> {
    let mut out = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    out.extend(parts.next().unwrap_or_default().bytes());
    for part in parts {
        let byte = part.get(..2).and_then(decode_hex);
        out.push(byte.ok_or_else(|| QueryError::Encoding { text: text.to_owned() })?);
        out.extend(part.bytes().skip(2));
    }
    String::from_utf8(out).map_err(|_| QueryError::NotUtf8 { text: text.to_owned() })
}

fn decode_hex(hex: &str) -> Option<u8> {
    let digits = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    if digits { u8::from_str_radix(hex, 16).ok() } else { None }
}
