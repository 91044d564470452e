//! An event as a row.

use std::ops::RangeInclusive;
use std::sync::Arc;

use livestore_protocol::SyncEvent;
use livestore_protocol::Timestamp;
use rusqlite::{Row, Statement};

use super::super::{StoreError, StoredEvent, checksum};

pub(super) const INSERT: &str = "
    INSERT INTO events (place, name, args, client_id, session_id, created_at, total_bytes, checksum)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

pub(super) const SELECT: &str = "
    SELECT place, name, args, client_id, session_id, created_at, checksum FROM events
    WHERE place BETWEEN ?1 AND ?2 ORDER BY place";

const SEQ_BITS: u32 = 40;
const LAST_SEQ: u64 = (1 << SEQ_BITS) - 1;

/// Returns the places of a store's events after `after`.
pub(super) fn places(key: i64, after: u64) -> RangeInclusive<i64> {
    let first = place(key, after.saturating_add(1).min(LAST_SEQ));
    first..=place(key, LAST_SEQ)
}

/// Returns the sequence number in a place.
pub(super) fn seq_of(place: i64) -> u64 {
    place.cast_unsigned() & LAST_SEQ
}

/// The most stores that places can tell apart.
pub(super) const MAX_STORES: u64 = 1 << (62 - SEQ_BITS);

fn place(key: i64, seq: u64) -> i64 {
    (key << SEQ_BITS) | seq.cast_signed()
}

/// Writes the event by [`INSERT`].
pub(super) fn insert(
    statement: &mut Statement<'_>,
    key: i64,
    stored: &StoredEvent,
    total_bytes: u64,
) -> rusqlite::Result<()> {
    let event = stored.event();
    let place = place(key, event.seq);
    statement.execute((
        place,
        &event.name,
        &event.args,
        &*event.client_id,
        &*event.session_id,
        stored.created_at().as_millis(),
        total_bytes.cast_signed(),
        checksum(place, stored),
    ))?;
    Ok(())
}

/// Reads an event by [`SELECT`], and whether it is whole.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Result<StoredEvent, StoreError>> {
    let place = row.get(0)?;
    let seq = seq_of(place);
    let event = SyncEvent {
        seq,
        parent: seq.saturating_sub(1),
        name: row.get(1)?,
        args: row.get(2)?,
        client_id: text(row, 3)?,
        session_id: text(row, 4)?,
        metadata: None,
    };
    let stored = StoredEvent::new(event, Timestamp::from_millis(row.get(5)?));
    let whole = row.get::<_, i64>(6)? == checksum(place, &stored);
    Ok(if whole { Ok(stored) } else { Err(StoreError::Corrupt { seq }) })
}

fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<Arc<str>> {
    Ok(row.get_ref(column)?.as_str()?.into())
}
