use std::sync::Arc;

use livestore::sync::SyncEvent;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::json::{self, Maybe, Text};

/// The most bytes that an event takes on the wire, with its comma: as it is pulled, which is longer
/// than as it is pushed.
pub fn wire_size(event: &SyncEvent) -> usize {
    let strings = [event.name.as_str(), &event.client_id, &event.session_id];
    let metadata = event.metadata.as_ref().map_or(USUAL_METADATA, String::len);
    AROUND + event.args.len() + metadata + strings.map(json::str_size).iter().sum::<usize>()
}

/// All that is neither text nor args, with numbers of twenty digits.
const AROUND: usize = 200;

/// What backends say of an event, which its client cannot know yet.
const USUAL_METADATA: usize = 128;

/// Appends an event as it is pushed.
pub(super) fn write_event(event: &SyncEvent, out: &mut String) {
    out.push_str(r#"{"name":"#);
    json::write_str(&event.name, out);
    out.push_str(r#","args":"#);
    out.push_str(&event.args);
    out.push_str(r#","seqNum":"#);
    json::write_number(event.seq, out);
    out.push_str(r#","parentSeqNum":"#);
    json::write_number(event.parent, out);
    out.push_str(r#","clientId":"#);
    json::write_str(&event.client_id, out);
    out.push_str(r#","sessionId":"#);
    json::write_str(&event.session_id, out);
    out.push('}');
}

/// Appends an event as it is pulled: an element of a page.
///
/// A backend may keep this text and hand it to [`PageWriter::encoded`](super::PageWriter::encoded).
pub fn write_pulled_event(event: &SyncEvent, out: &mut String) {
    out.push_str(r#"{"eventEncoded":"#);
    write_event(event, out);
    out.push_str(r#","metadata":"#);
    json::write_option(event.metadata.as_deref(), out, |json, out| out.push_str(json));
    out.push('}');
}

/// An event as it is pushed, borrowed from its message.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    args: Option<&'a RawValue>,
    seq_num: u64,
    parent_seq_num: u64,
    #[serde(borrow)]
    client_id: Text<'a>,
    #[serde(borrow)]
    session_id: Text<'a>,
}

/// An event as it is pulled.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PulledEvent<'a> {
    #[serde(borrow)]
    event_encoded: Event<'a>,
    #[serde(borrow)]
    metadata: Option<Maybe<&'a RawValue>>,
}

impl Event<'_> {
    pub(super) fn args(&self) -> &str {
        self.args.map_or("null", RawValue::get)
    }

    pub(super) fn seq(&self) -> u64 {
        self.seq_num
    }

    pub(super) fn into_event(self, names: &mut Names, metadata: Option<String>) -> SyncEvent {
        SyncEvent {
            seq: self.seq_num,
            parent: self.parent_seq_num,
            args: self.args().to_owned(),
            client_id: names.client.get(&self.client_id),
            session_id: names.session.get(&self.session_id),
            name: self.name.into_owned(),
            metadata,
        }
    }
}

impl PulledEvent<'_> {
    pub(super) fn into_event(self, names: &mut Names) -> SyncEvent {
        let metadata = self.metadata.and_then(|maybe| maybe.0).map(|raw| raw.get().to_owned());
        self.event_encoded.into_event(names, metadata)
    }
}

/// The ids met last: most events share theirs with the event before.
#[derive(Default)]
pub(super) struct Names {
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
