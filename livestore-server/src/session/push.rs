use livestore::sync::{SyncError, SyncEvent};
use livestore_sync::wire::{MAX_BATCH_BYTES, MAX_EVENTS, Push, wire_size};

use crate::auth::Rights;
use crate::hub::Room;
use crate::store::StoreError;

/// Checks all of a push but its place in the order, which the storage decides.
pub(super) fn check(push: &Push, rights: Rights, room: &Room) -> Result<(), SyncError> {
    check_store(&push.store_id, room)?;
    if !rights.write {
        return Err(SyncError::Refused("this token may not write to the store".to_owned()));
    }
    check_backend(push.backend_id.as_deref(), room)?;
    check_batch(&push.batch).map_err(SyncError::Invalid)
}

/// A connection is to one store.
pub(super) fn check_store(store_id: &str, room: &Room) -> Result<(), SyncError> {
    if store_id == room.id().as_str() {
        return Ok(());
    }
    Err(SyncError::Refused(format!("this connection is to the store `{}`", room.id())))
}

pub(super) fn check_backend(received: Option<&str>, room: &Room) -> Result<(), SyncError> {
    match received {
        Some(received) if received != room.backend_id() && !mutant!("ignore the backend id") => {
            Err(SyncError::BackendIdMismatch {
                expected: room.backend_id().to_owned(),
                received: received.to_owned(),
            })
        }
        _ => Ok(()),
    }
}

/// What to tell of a push that was not stored.
pub(super) fn failure(error: &StoreError, batch: &[SyncEvent]) -> SyncError {
    match error {
        StoreError::Behind { head } => {
            let parent = batch.first().map_or(0, |first| first.parent);
            SyncError::ServerAhead { head: *head, parent }
        }
        StoreError::StoreFull { .. } => SyncError::Refused(error.to_string()),
        _ => SyncError::Failed(error.to_string()),
    }
}

/// Checks that events chain, and that each is one.
pub(crate) fn check_batch(batch: &[SyncEvent]) -> Result<(), String> {
    if batch.len() > MAX_EVENTS {
        return Err(format!(
            "a push has at most {MAX_EVENTS} events, and this one {}",
            batch.len()
        ));
    }
    let mut previous = batch.first().map_or(0, |first| first.parent);
    for event in batch {
        let SyncEvent { seq, parent, .. } = *event;
        if parent != previous || Some(seq) != parent.checked_add(1) {
            return Err(format!("e{seq} ← e{parent} does not follow e{previous}"));
        }
        check_event(event)?;
        previous = seq;
    }
    Ok(())
}

fn check_event(event: &SyncEvent) -> Result<(), String> {
    let seq = event.seq;
    let named = [("name", event.name.as_str()), ("client id", &event.client_id)];
    if let Some((what, _)) = named.into_iter().find(|(_, text)| text.is_empty()) {
        return Err(format!("the {what} of e{seq} is empty"));
    }
    if !event.args.starts_with('{') && event.args != "null" {
        return Err(format!("the args of e{seq} are neither an object nor null"));
    }
    match wire_size(event) {
        size if size > MAX_BATCH_BYTES => {
            Err(format!("e{seq} takes {size} bytes, and may take {MAX_BATCH_BYTES}"))
        }
        _ => Ok(()),
    }
}
