//! A row's checksum: a flipped bit is found when the row is read, not when it has done its harm.

use xxhash_rust::xxh3::Xxh3;

use crate::event::{EncodedEvent, SeqNum};

/// Over everything that is written when the event is, each part with its length.
///
/// Sync metadata comes later and is not part of it.
pub(super) fn checksum(event: &EncodedEvent) -> i64 {
    let mut hash = Xxh3::new();
    for SeqNum { global, client, generation } in [event.seq, event.parent] {
        for number in [global, client, generation] {
            hash.update(&number.to_le_bytes());
        }
    }
    hash.update(&event.schema_hash.to_le_bytes());
    for text in [&*event.name, &event.args, &event.client_id, &event.session_id] {
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    hash.digest().cast_signed()
}
