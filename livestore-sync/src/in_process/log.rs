use livestore::sync::{SyncError, SyncEvent};
use livestore_protocol::check_chain;

/// The events of one store.
#[derive(Debug, Default)]
pub(super) struct Log {
    events: Vec<SyncEvent>,
}

impl Log {
    pub(super) fn events(&self) -> &[SyncEvent] {
        &self.events
    }

    fn head(&self) -> u64 {
        self.events.last().map_or(0, |event| event.seq)
    }

    fn after(&self, head: u64) -> &[SyncEvent] {
        let from = self.events.partition_point(|event| event.seq <= head);
        self.events.get(from..).unwrap_or_default()
    }

    /// Appends all of a batch, and returns the new events: none, if it was appended before.
    pub(super) fn append(&mut self, batch: &[SyncEvent]) -> Result<Vec<SyncEvent>, SyncError> {
        let Some(first) = batch.first() else { return Ok(Vec::new()) };
        check_chain(batch).map_err(|invalid| SyncError::Invalid(invalid.to_string()))?;
        if self.has(batch, first.parent) {
            return Ok(Vec::new());
        }
        if first.parent != self.head() {
            return Err(SyncError::ServerAhead { head: self.head(), parent: first.parent });
        }
        self.events.extend_from_slice(batch);
        Ok(batch.to_vec())
    }

    fn has(&self, batch: &[SyncEvent], parent: u64) -> bool {
        let known = self.after(parent).iter().map(SyncEvent::identity);
        known.take(batch.len()).eq(batch.iter().map(SyncEvent::identity))
    }
}
