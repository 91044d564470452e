//! The chain of checksums: each row's is over the row itself and the checksum before it.
//!
//! A row whose checksum does not follow from the one before it was changed or moved. So a flipped
//! bit is found when the row is read, before it does harm, and the checksum of one event stands for
//! all events up to there: two logs that have the same checksum at a place have the same history. A
//! snapshot names the checksum of its last event, and is used only where the log has the same one.
//!
//! It is no protection against an attacker: whoever can write the file can recompute the checksums.

use xxhash_rust::xxh3::xxh3_64;

use crate::event::{EncodedEvent, SeqNum};

/// The checksum before the first event.
pub(crate) const START: i64 = 0;

/// The parts of an event that do not change once it is written.
///
/// Sync metadata comes later and is not one of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a> {
    /// Its place, its parent's and the schema hash.
    pub(super) numbers: [u64; 7],
    /// Name, args, client id and session id.
    pub(super) texts: [&'a [u8]; 4],
    pub(super) continues: bool,
}

impl<'a> From<&'a EncodedEvent> for Parts<'a> {
    fn from(event: &'a EncodedEvent) -> Self {
        let EncodedEvent { seq, parent, .. } = event;
        Self {
            numbers: [
                seq.global,
                seq.client,
                seq.generation,
                parent.global,
                parent.client,
                parent.generation,
                event.schema_hash.cast_unsigned(),
            ],
            texts: [&*event.name, &event.args, &event.client_id, &event.session_id]
                .map(str::as_bytes),
            continues: event.continues,
        }
    }
}

/// Computes checksums. It reuses one buffer for all events, because the state of a streaming hasher
/// is larger than most events.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    bytes: Vec<u8>,
}

impl Chain {
    /// The checksum of `event` behind the event that has the checksum `before`.
    pub(crate) fn next(&mut self, before: i64, event: &EncodedEvent) -> i64 {
        self.checksum(before, &event.into())
    }

    /// The checksum of an event behind the one that has the checksum `before`.
    pub(super) fn checksum(&mut self, before: i64, parts: &Parts<'_>) -> i64 {
        self.bytes.clear();
        self.bytes.extend(before.to_le_bytes());
        self.bytes.push(parts.continues.into());
        self.hash(parts)
    }

    /// The checksum that format 1 had, which was over the place of the event before.
    pub(super) fn checksum_of_format_1(&mut self, before: SeqNum, parts: &Parts<'_>) -> i64 {
        self.bytes.clear();
        self.bytes.extend(before.global.to_le_bytes());
        self.bytes.extend(before.client.to_le_bytes());
        self.hash(parts)
    }

    /// The checksum of the buffer and of every part, each with its length.
    fn hash(&mut self, parts: &Parts<'_>) -> i64 {
        for number in parts.numbers {
            self.bytes.extend(number.to_le_bytes());
        }
        for text in parts.texts {
            self.bytes.extend((text.len() as u64).to_le_bytes());
            self.bytes.extend(text);
        }
        xxh3_64(&self.bytes).cast_signed()
    }
}
