use std::sync::Arc;

use crate::{SyncEvent, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::json::{self, Maybe, Text, Whole};

/// Appends an event as it is pushed.
pub(super) fn write_event(event: &SyncEvent, out: &mut String) {
    out.push_str(r#"{"name":"#);
    json::write_str(&event.name, out);
    if !event.args.is_empty() {
        out.push_str(r#","args":"#);
        out.push_str(&event.args);
    }
    out.push_str(r#","seqNum":"#);
    json::write_plain(event.seq, out);
    out.push_str(r#","parentSeqNum":"#);
    json::write_plain(event.parent, out);
    out.push_str(r#","clientId":"#);
    json::write_str(&event.client_id, out);
    out.push_str(r#","sessionId":"#);
    json::write_str(&event.session_id, out);
    out.push('}');
}

/// Appends an event as it is pulled: an element of a page.
///
/// A backend may store this text and pass it to [`PageWriter::encoded`](super::PageWriter::encoded).
pub fn write_pulled_event(event: &SyncEvent, out: &mut String) {
    out.push_str(r#"{"eventEncoded":"#);
    write_event(event, out);
    out.push_str(r#","metadata":"#);
    json::write_option(event.metadata.as_deref(), out, |json, out| out.push_str(json));
    out.push('}');
}

/// Appends an event as it is pulled, with the metadata of LiveStore's own backend.
pub(super) fn write_accepted_event(event: &SyncEvent, created_at: Timestamp, out: &mut String) {
    out.push_str(r#"{"eventEncoded":"#);
    write_event(event, out);
    out.push_str(r#","metadata":{"_tag":"Some","value":"#);
    write_metadata(created_at, out);
    out.push_str("}}");
}

fn write_metadata(created_at: Timestamp, out: &mut String) {
    out.push_str(r#"{"_tag":"SyncMessage.SyncMetadata","createdAt":""#);
    json::write_plain(created_at, out);
    out.push_str(r#""}"#);
}

impl SyncEvent {
    /// Returns the event with the metadata of LiveStore's own backend: the time at which the backend
    /// accepted it.
    #[must_use]
    pub fn accepted_at(self, created_at: Timestamp) -> Self {
        let mut metadata = String::new();
        write_metadata(created_at, &mut metadata);
        Self { metadata: Some(metadata), ..self }
    }
}

/// An event as it is pushed, borrowed from its message.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventFields<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow, default, deserialize_with = "json::present")]
    args: Option<&'a RawValue>,
    seq_num: Whole,
    parent_seq_num: Whole,
    #[serde(borrow)]
    client_id: Text<'a>,
    #[serde(borrow)]
    session_id: Text<'a>,
}

/// An event as it is pulled.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PulledFields<'a> {
    #[serde(borrow)]
    event_encoded: EventFields<'a>,
    #[serde(borrow)]
    metadata: Option<Maybe<&'a RawValue>>,
}

impl EventFields<'_> {
    /// The args as they came, or an empty text if there are none.
    pub(super) fn args(&self) -> &str {
        self.args.map_or("", RawValue::get)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn seq(&self) -> u64 {
        self.seq_num.0
    }

    pub(super) fn into_event(self, ids: &mut Ids, metadata: Option<String>) -> SyncEvent {
        SyncEvent {
            seq: self.seq_num.0,
            parent: self.parent_seq_num.0,
            args: self.args().to_owned(),
            client_id: ids.client.get(&self.client_id),
            session_id: ids.session.get(&self.session_id),
            name: self.name.into_owned(),
            metadata,
        }
    }
}

impl PulledFields<'_> {
    pub(super) fn into_event(self, ids: &mut Ids) -> SyncEvent {
        let metadata = self.metadata.and_then(|maybe| maybe.0).map(|raw| raw.get().to_owned());
        self.event_encoded.into_event(ids, metadata)
    }
}

/// The last ids, because most events share theirs with the event before.
#[derive(Default)]
pub(super) struct Ids {
    client: Last,
    session: Last,
}

#[derive(Default)]
struct Last(Option<Arc<str>>);

impl Last {
    fn get(&mut self, text: &str) -> Arc<str> {
        match &self.0 {
            Some(last) if **last == *text => Arc::clone(last),
            _ => Arc::clone(self.0.insert(Arc::from(text))),
        }
    }
}
