//! A row's checksum: a flipped bit is found when the row is read, not when it has done its harm.

use xxhash_rust::xxh3::xxh3_64;

use crate::event::{EncodedEvent, SeqNum};

/// Over everything that is written when the event is, each part with its length, and over the place
/// of the event before it, so that none vanishes unnoticed.
///
/// Sync metadata comes later and is not part of it.
pub(super) fn checksum(before: SeqNum, event: &EncodedEvent) -> i64 {
    let texts = [&*event.name, &event.args, &event.client_id, &event.session_id];
    let length = 13 * 8 + texts.iter().map(|text| text.len()).sum::<usize>();
    // In one piece, because the state of a streaming hasher is larger than most events.
    let mut bytes = Vec::with_capacity(length);
    // Not its generation, which a rebase raises.
    bytes.extend(before.global.to_le_bytes());
    bytes.extend(before.client.to_le_bytes());
    for SeqNum { global, client, generation } in [event.seq, event.parent] {
        for number in [global, client, generation] {
            bytes.extend(number.to_le_bytes());
        }
    }
    bytes.extend(event.schema_hash.to_le_bytes());
    for text in texts {
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    xxh3_64(&bytes).cast_signed()
}
