//! An event as a message.

use bytes::Bytes;
use livestore_protocol::{SyncEvent, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::store::{StoreError, StoredEvent, checksum};

/// The sequence number of a message in its stream is that of the event.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    name: String,
    /// Absent if the event has none.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    args: Option<Box<RawValue>>,
    /// Args that JSON would not keep character by character.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    args_text: Option<String>,
    client_id: String,
    session_id: String,
    created_at: i64,
    /// The size of the store up to this event.
    total_bytes: u64,
    checksum: i64,
}

/// Reads a field that is there, also if it is `null`.
fn present<'de, D: Deserializer<'de>>(field: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::deserialize(field).map(Some)
}

/// Returns the message of an event, with which the store has `total_bytes`.
pub(super) fn encode(stored: &StoredEvent, total_bytes: u64) -> Result<Bytes, serde_json::Error> {
    let event = stored.event();
    let raw = RawValue::from_string(event.args.clone()).ok();
    let raw = raw.filter(|raw| raw.get() == event.args);
    let text = (raw.is_none() && !event.args.is_empty()).then(|| event.args.clone());
    let message = Message {
        name: event.name.clone(),
        args: raw,
        args_text: text,
        client_id: event.client_id.to_string(),
        session_id: event.session_id.to_string(),
        created_at: stored.created_at().as_millis(),
        total_bytes,
        checksum: checksum(event.seq.cast_signed(), stored),
    };
    serde_json::to_vec(&message).map(Bytes::from)
}

/// Reads the event with this number, if it is whole.
pub(super) fn decode(seq: u64, payload: &[u8]) -> Result<StoredEvent, StoreError> {
    let message: Message =
        serde_json::from_slice(payload).map_err(|_| StoreError::Corrupt { seq })?;
    let args = message.args.map(|args| Box::<str>::from(args).into_string());
    let event = SyncEvent {
        seq,
        parent: seq.saturating_sub(1),
        name: message.name,
        args: args.or(message.args_text).unwrap_or_default(),
        client_id: message.client_id.into(),
        session_id: message.session_id.into(),
        metadata: None,
    };
    let stored = StoredEvent::new(event, Timestamp::from_millis(message.created_at));
    match checksum(seq.cast_signed(), &stored) == message.checksum {
        true => Ok(stored),
        false => Err(StoreError::Corrupt { seq }),
    }
}

/// Returns the size of the store up to this message.
pub(super) fn total_bytes(seq: u64, payload: &[u8]) -> Result<u64, StoreError> {
    let message: Message =
        serde_json::from_slice(payload).map_err(|_| StoreError::Corrupt { seq })?;
    Ok(message.total_bytes)
}
