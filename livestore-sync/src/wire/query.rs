use std::fmt::Write;

use livestore::sync::Secret;
use serde::de::IgnoredAny;

/// How a client talks to its backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// One connection, and messages both ways.
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

/// What stands in the query of the URL: `storeId=…&transport=…[&payload=…]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectQuery {
    /// The store.
    pub store_id: String,
    /// The transport.
    pub transport: Transport,
    /// What the app tells the backend, such as a token: JSON.
    pub payload: Option<Secret>,
}

impl ConnectQuery {
    /// Writes the query, without a question mark.
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

    /// Reads a query, or says what is wrong with it. The payload may be encoded once or twice.
    pub fn decode(query: &str) -> Result<Self, String> {
        let mut fields = Fields::default();
        for pair in query.split('&') {
            fields.set(pair)?;
        }
        Ok(Self {
            store_id: fields.store_id.ok_or("storeId is missing")?,
            transport: fields.transport.ok_or("transport is missing")?,
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
    fn set(&mut self, pair: &str) -> Result<(), String> {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decode = || percent_decode(&value.replace('+', " "));
        match name {
            "storeId" => self.store_id = Some(decode()?),
            "transport" => self.transport = Some(decode_transport(&decode()?)?),
            "payload" => self.payload = Some(decode_payload(decode()?)?),
            _ => {}
        }
        Ok(())
    }
}

fn decode_transport(name: &str) -> Result<Transport, String> {
    match name {
        "ws" => Ok(Transport::WebSocket),
        "http" => Ok(Transport::Http),
        other => Err(format!("transport is `{other}`, and not `ws` or `http`")),
    }
}

fn decode_payload(once: String) -> Result<String, String> {
    if is_json(&once) {
        return Ok(once);
    }
    let twice = percent_decode(&once)?;
    if is_json(&twice) { Ok(twice) } else { Err("payload is not JSON".to_owned()) }
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

fn percent_decode(text: &str) -> Result<String, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    out.extend(parts.next().unwrap_or_default().bytes());
    for part in parts {
        let byte = part.get(..2).and_then(decode_hex);
        out.push(byte.ok_or_else(|| format!("bad percent-encoding in `{text}`"))?);
        out.extend(part.bytes().skip(2));
    }
    String::from_utf8(out).map_err(|_| format!("`{text}` is not UTF-8"))
}

fn decode_hex(hex: &str) -> Option<u8> {
    let digits = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    if digits { u8::from_str_radix(hex, 16).ok() } else { None }
}
