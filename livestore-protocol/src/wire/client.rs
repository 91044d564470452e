use crate::{Cursor, MAX_DEPTH, Secret, SyncEvent};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::event::{EventFields, Ids, write_event};
use super::json::{self, Maybe, Text, Whole};
use super::{RequestId, Transport, WireError};

/// A message from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientMessage {
    /// Asks whether the backend is there.
    Ping,
    /// A call, which is answered under its id.
    Request(Request),
    /// The client has received the last chunk of this request; the backend may send the next one.
    Ack(RequestId),
    /// The client wants no more answers to this request.
    Interrupt(RequestId),
    /// The client sends no more messages.
    Eof,
}

/// A call and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The id. It differs from those of all unfinished requests of the connection.
    pub id: RequestId,
    /// The call.
    pub call: Call,
}

/// The calls that a backend answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Requests events.
    Pull(Pull),
    /// Offers events.
    Push(Push),
    /// Asks over HTTP whether the backend is there.
    Ping(Ping),
}

/// Asks whether the backend is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ping {
    /// The id of the store.
    pub store_id: String,
    /// JSON that the app sends to the backend, such as a token.
    pub payload: Option<Secret>,
}

/// Requests the events after a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// The id of the store.
    pub store_id: String,
    /// JSON that the app sends to the backend, such as a token.
    pub payload: Option<Secret>,
    /// Whether the backend goes on with new events as they are pushed. Over HTTP it never does.
    pub live: bool,
    /// The last event that the client has; `None` requests all events.
    pub cursor: Option<Cursor>,
}

/// Offers events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// The id of the store.
    pub store_id: String,
    /// JSON that the app sends to the backend, such as a token.
    pub payload: Option<Secret>,
    /// The events, in order.
    pub batch: Vec<SyncEvent>,
    /// The backend that they are meant for, if the client knows its id.
    pub backend_id: Option<String>,
}

impl ClientMessage {
    /// Reads a message.
    ///
    /// # Errors
    /// If the text is not a message of a client.
    pub fn decode(text: &str) -> Result<Self, WireError> {
        let frame: Frame<'_> = serde_json::from_str(text)?;
        match &*frame.tag {
            "Ping" => Ok(Self::Ping),
            "Eof" => Ok(Self::Eof),
            "Ack" => Ok(Self::Ack(required(frame.request_id, "requestId")?)),
            "Interrupt" => Ok(Self::Interrupt(required(frame.request_id, "requestId")?)),
            "Request" => decode_request(frame).map(Self::Request),
            tag => Err(WireError::UnknownTag { tag: tag.to_owned(), request_id: frame.id }),
        }
    }

    /// Appends the message as JSON.
    pub fn encode(&self, transport: Transport, out: &mut String) {
        match self {
            Self::Ping => out.push_str(r#"{"_tag":"Ping"}"#),
            Self::Eof => out.push_str(r#"{"_tag":"Eof"}"#),
            Self::Ack(id) => write_about("Ack", id, out),
            Self::Interrupt(id) => write_about("Interrupt", id, out),
            Self::Request(request) => request.encode(transport, out),
        }
    }
}

fn write_about(tag: &str, id: &RequestId, out: &mut String) {
    out.push_str(r#"{"_tag":""#);
    out.push_str(tag);
    out.push_str(r#"","requestId":"#);
    id.write(out);
    out.push('}');
}

impl Request {
    /// Appends the request as JSON.
    pub fn encode(&self, transport: Transport, out: &mut String) {
        out.push_str(r#"{"_tag":"Request","id":"#);
        self.id.write(out);
        out.push_str(r#","tag":""#);
        out.push_str(transport.methods());
        out.push_str(self.call.method());
        out.push_str(r#"","payload":{"#);
        self.call.write_fields(transport, out);
        out.push_str(r#"},"headers":[]}"#);
    }
}

impl Call {
    fn method(&self) -> &'static str {
        match self {
            Self::Pull(_) => "Pull",
            Self::Push(_) => "Push",
            Self::Ping(_) => "Ping",
        }
    }

    fn write_fields(&self, transport: Transport, out: &mut String) {
        match self {
            Self::Pull(pull) => pull.write_fields(transport, out),
            Self::Push(push) => push.write_fields(out),
            Self::Ping(ping) => write_store(&ping.store_id, ping.payload.as_ref(), out),
        }
    }
}

impl Pull {
    fn write_fields(&self, transport: Transport, out: &mut String) {
        write_store(&self.store_id, self.payload.as_ref(), out);
        if transport == Transport::WebSocket {
            out.push_str(if self.live { r#","live":true"# } else { r#","live":false"# });
        }
        out.push_str(r#","cursor":"#);
        json::write_option(self.cursor.as_ref(), out, write_cursor);
    }
}

impl Push {
    fn write_fields(&self, out: &mut String) {
        write_store(&self.store_id, self.payload.as_ref(), out);
        out.push_str(r#","batch":["#);
        for (index, event) in self.batch.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            write_event(event, out);
        }
        out.push_str(r#"],"backendId":"#);
        json::write_option(self.backend_id.as_deref(), out, json::write_str);
    }
}

fn write_store(store_id: &str, payload: Option<&Secret>, out: &mut String) {
    out.push_str(r#""storeId":"#);
    json::write_str(store_id, out);
    if let Some(payload) = payload {
        out.push_str(r#","payload":"#);
        out.push_str(payload.as_str());
    }
}

fn write_cursor(cursor: &Cursor, out: &mut String) {
    out.push_str(r#"{"backendId":"#);
    json::write_str(&cursor.backend_id, out);
    out.push_str(r#","eventSequenceNumber":"#);
    json::write_plain(cursor.head, out);
    out.push('}');
}

/// The fields of any message of a client. Others, such as trace ids, are skipped.
#[derive(Deserialize)]
#[serde(expecting = "an object with a `_tag`")]
struct Frame<'a> {
    #[serde(rename = "_tag", borrow)]
    tag: Text<'a>,
    id: Option<RequestId>,
    #[serde(rename = "requestId")]
    request_id: Option<RequestId>,
    #[serde(rename = "tag", borrow)]
    method: Option<Text<'a>>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

fn required<T>(value: Option<T>, field: &str) -> Result<T, WireError> {
    value.ok_or_else(|| WireError::Malformed(format!("missing field `{field}`")))
}

fn decode_request(frame: Frame<'_>) -> Result<Request, WireError> {
    let id = required(frame.id, "id")?;
    let method = required(frame.method, "tag")?;
    let payload = frame.payload.map_or("null", RawValue::get);
    match decode_call(&method, payload) {
        Some(Ok(call)) => Ok(Request { id, call }),
        Some(Err(problem)) => {
            Err(WireError::Unfit { request_id: id, tag: method.into_owned(), problem })
        }
        None => Err(WireError::UnknownTag { tag: method.into_owned(), request_id: Some(id) }),
    }
}

fn decode_call(method: &str, payload: &str) -> Option<Result<Call, String>> {
    match Transport::strip_methods(method)? {
        "Pull" => Some(decode_pull(payload).map(Call::Pull)),
        "Push" => Some(decode_push(payload).map(Call::Push)),
        "Ping" => Some(decode_ping(payload).map(Call::Ping)),
        _ => None,
    }
}

fn decode_ping(payload: &str) -> Result<Ping, String> {
    let fields: PingFields<'_> = serde_json::from_str(payload).map_err(|e| e.to_string())?;
    Ok(Ping {
        store_id: fields.store_id,
        payload: fields.payload.map(|raw| Secret::from(raw.get())),
    })
}

fn decode_pull(payload: &str) -> Result<Pull, String> {
    let fields: PullFields<'_> = serde_json::from_str(payload).map_err(|e| e.to_string())?;
    Ok(Pull {
        store_id: fields.store_id,
        payload: fields.payload.map(|raw| Secret::from(raw.get())),
        live: fields.live,
        cursor: fields.cursor.0.map(|cursor| Cursor {
            backend_id: cursor.backend_id,
            head: cursor.event_sequence_number.0,
        }),
    })
}

fn decode_push(payload: &str) -> Result<Push, String> {
    let fields: PushFields<'_> = serde_json::from_str(payload).map_err(|e| e.to_string())?;
    if let Some(deep) = fields.batch.iter().find(|event| json::deeper_than(MAX_DEPTH, event.args()))
    {
        let (seq, name) = (deep.seq(), deep.name());
        return Err(format!(
            "the args of e{seq} nest deeper than {MAX_DEPTH} levels: flatten `{name}`"
        ));
    }
    let mut ids = Ids::default();
    Ok(Push {
        store_id: fields.store_id,
        payload: fields.payload.map(|raw| Secret::from(raw.get())),
        batch: fields.batch.into_iter().map(|e| e.into_event(&mut ids, None)).collect(),
        backend_id: fields.backend_id.0,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PingFields<'a> {
    store_id: String,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PullFields<'a> {
    store_id: String,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
    #[serde(default)]
    live: bool,
    cursor: Maybe<CursorFields>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CursorFields {
    backend_id: String,
    event_sequence_number: Whole,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PushFields<'a> {
    store_id: String,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
    #[serde(borrow)]
    batch: Vec<EventFields<'a>>,
    backend_id: Maybe<String>,
}
