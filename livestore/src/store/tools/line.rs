//! An event as a line of JSON.

use std::borrow::Cow;
use std::sync::Arc;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::event::{EncodedEvent, SeqNum};

/// An event as a line of JSON, as `livestore export` and the devtools write it, and `livestore import` reads it.
///
/// Numbers are as in the exports of a server, a number for each synced event. An event that stays on its
/// client, or was rebased, has its number as text, such as `e3.1r2`.
///
/// ```
/// # use livestore::prelude::*;
/// # use livestore_testing::sample::todos::*;
/// use livestore::tools::EventLine;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let store = Store::<App>::builder("todos").open()?;
/// store.commit(TodoEvent::Completed { id: "milk".into() })?;
/// for event in store.events() {
///     let event = event?;
///     let line = serde_json::to_string(&EventLine::of(&event)?)?;
///     assert!(line.starts_with(r#"{"seqNum":1,"parentSeqNum":0,"name":"v1.TodoCompleted""#));
///     let read: EventLine<'_> = serde_json::from_str(&line)?;
///     let (client, session) = (event.client_id.clone(), event.session_id.clone());
///     assert_eq!(read.into_event(client, session).args, event.args);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EventLine<'a> {
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
struct Number(SeqNum);

impl<'a> EventLine<'a> {
    /// Returns the line of an event.
    ///
    /// # Errors
    /// If the args, or the metadata of the backend, are not JSON.
    pub fn of(event: &'a EncodedEvent) -> serde_json::Result<Self> {
        Ok(Self {
            seq_num: Number(event.seq),
            parent_seq_num: Number(event.parent),
            name: Cow::Borrowed(&event.name),
            args: if event.args.is_empty() { None } else { Some(one_line(&event.args)?) },
            client_id: Cow::Borrowed(&event.client_id),
            session_id: Cow::Borrowed(&event.session_id),
            schema_hash: Some(event.schema_hash),
            continues: event.continues,
            sync_metadata: event.sync_metadata.as_deref().map(one_line).transpose()?,
            created_at: None,
        })
    }

    /// Returns the id of the client that committed it.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Returns the session of that client.
    pub fn session_id(&self) -> &str {
        &self.session_id
    }

    /// Returns the event, as a log that did not have it stores it: what a backend has said of it is not known
    /// there, but for an event that it has refused. The ids are passed, so that many events can share them.
    pub fn into_event(self, client_id: Arc<str>, session_id: Arc<str>) -> EncodedEvent {
        let text = |json: Cow<'_, RawValue>| json.get().to_owned();
        let mut event = EncodedEvent::new(
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

/// JSON on one line. It has line breaks only where a space means the same.
fn one_line(json: &str) -> serde_json::Result<Cow<'_, RawValue>> {
    if json.contains(['\n', '\r']) {
        return RawValue::from_string(json.replace(['\n', '\r'], " ")).map(Cow::Owned);
    }
    serde_json::from_str::<&RawValue>(json).map(Cow::Borrowed)
}

/// Reads a field that is there, also if it is `null`.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    field: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(field).map(Some)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_and_comes_back() {
        for (seq, args, shown) in [
            (SeqNum::new(3), "{\"a\":\n1}", "\"seqNum\":3,"),
            (
                SeqNum { client: 1, generation: 2, ..SeqNum::new(3) },
                "null",
                "\"seqNum\":\"e3.1r2\",",
            ),
            (SeqNum::new(3), "", "\"name\":\"v1.E\",\"clientId\""),
        ] {
            let (client, session): (Arc<str>, Arc<str>) = ("c".into(), "s".into());
            let event = EncodedEvent::new(seq, SeqNum::new(2), "v1.E", args, client, session);
            let line = serde_json::to_string(&EventLine::of(&event).unwrap()).unwrap();
            assert!(line.contains(shown) && !line.contains('\n'), "{line}");
            let read: EventLine<'_> = serde_json::from_str(&line).unwrap();
            let back = read.into_event(event.client_id.clone(), event.session_id.clone());
            assert_eq!(back, EncodedEvent { args: args.replace('\n', " "), ..event });
        }
    }
}
