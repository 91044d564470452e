//! An event as a line of JSON: in an export, in `events --json`, and over MCP.
//!
//! Numbers are as the server's exports have them, a number for each synced event. An event that stays on
//! its client, or was rebased, has its number as text, such as `e3.1r2`.

use std::borrow::Cow;
use std::io::Write;
use std::sync::Arc;

use livestore::SeqNum;
use livestore::event::EncodedEvent;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::exit::{Failure, Result};

/// An event, as it is written and read.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Line<'a> {
    seq_num: Number,
    parent_seq_num: Number,
    #[serde(borrow)]
    name: Cow<'a, str>,
    /// Absent if the event has none, which is not `null`.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    args: Option<Cow<'a, RawValue>>,
    #[serde(borrow)]
    client_id: Cow<'a, str>,
    #[serde(borrow)]
    session_id: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schema_hash: Option<i64>,
    /// Whether it is of the same commit as the event before it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    continues: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sync_metadata: Option<Cow<'a, RawValue>>,
    /// A server's exports have it.
    #[expect(dead_code, reason = "it is only allowed to be there")]
    #[serde(default, skip_serializing)]
    created_at: Option<IgnoredAny>,
}

/// A sequence number, as a number or as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number(pub(crate) SeqNum);

impl<'a> Line<'a> {
    pub(crate) fn of(event: &'a EncodedEvent) -> Result<Self> {
        let json = |text: &'a str| one_line(text).map_err(|error| invalid(event, &error));
        Ok(Self {
            seq_num: Number(event.seq),
            parent_seq_num: Number(event.parent),
            name: Cow::Borrowed(&event.name),
            args: if event.args.is_empty() { None } else { Some(json(&event.args)?) },
            client_id: Cow::Borrowed(&event.client_id),
            session_id: Cow::Borrowed(&event.session_id),
            schema_hash: Some(event.schema_hash),
            continues: event.continues,
            sync_metadata: event.sync_metadata.as_deref().map(json).transpose()?,
            created_at: None,
        })
    }

    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    pub(crate) fn session_id(&self) -> &str {
        &self.session_id
    }

    /// The event, as a log that did not have it stores it: what a backend has said of it is not known
    /// there, but for an event that it has refused.
    pub(crate) fn into_event(self, client_id: Arc<str>, session_id: Arc<str>) -> EncodedEvent {
        let text = |json: Cow<'_, RawValue>| json.get().to_owned();
        let mut event = stored(
            self.seq_num.0,
            self.parent_seq_num.0,
            self.name.into_owned(),
            self.args.map(text).unwrap_or_default(),
            client_id,
            session_id,
        );
        event.schema_hash = self.schema_hash.unwrap_or_default();
        event.continues = self.continues;
        event.sync_metadata = self.sync_metadata.filter(|_| event.is_client_only()).map(text);
        event
    }
}

/// Writes an event as a line of an export.
pub(crate) fn write(out: &mut impl Write, event: &EncodedEvent) -> Result {
    serde_json::to_writer(&mut *out, &Line::of(event)?)?;
    Ok(out.write_all(b"\n")?)
}

fn invalid(event: &EncodedEvent, error: &serde_json::Error) -> Failure {
    Failure::failed(format!("the args of the event {} are not JSON: {error}", event.seq))
}

/// JSON on one line. It has line breaks only where a space means the same.
fn one_line(json: &str) -> serde_json::Result<Cow<'_, RawValue>> {
    if json.contains(['\n', '\r']) {
        return RawValue::from_string(json.replace(['\n', '\r'], " ")).map(Cow::Owned);
    }
    serde_json::from_str::<&RawValue>(json).map(Cow::Borrowed)
}

/// Reads a field that is there, also if it is `null`.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    field: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(field).map(Some)
}

/// An event that is not of this client, with nothing that only its log knows.
pub(crate) fn stored(
    seq: SeqNum,
    parent: SeqNum,
    name: String,
    args: String,
    client_id: Arc<str>,
    session_id: Arc<str>,
) -> EncodedEvent {
    EncodedEvent::new(seq, parent, name, args, client_id, session_id)
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            SeqNum { global, client: 0, generation: 0 } => serializer.serialize_u64(global),
            seq => serializer.collect_str(&seq),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(u64),
            Text(String),
        }
        match Either::deserialize(deserializer)? {
            Either::Number(global) => Ok(Self(SeqNum::new(global))),
            Either::Text(text) => text.parse().map(Self).map_err(serde::de::Error::custom),
        }
    }
}
