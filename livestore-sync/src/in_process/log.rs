use livestore::sync::{SyncError, SyncEvent};

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

    /// Takes a batch whole, and returns what is new: nothing, if it was taken before.
    pub(super) fn append(&mut self, batch: &[SyncEvent]) -> Result<Vec<SyncEvent>, SyncError> {
        let Some(first) = batch.first() else { return Ok(Vec::new()) };
        check_chain(batch)?;
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
        let known = self.after(parent).iter().map(without_metadata);
        known.take(batch.len()).eq(batch.iter().map(without_metadata))
    }
}

fn check_chain(batch: &[SyncEvent]) -> Result<(), SyncError> {
    let follows = |event: &SyncEvent| event.parent.checked_add(1) == Some(event.seq);
    let linked = batch.iter().zip(batch.iter().skip(1)).all(|(a, b)| b.parent == a.seq);
    if linked && batch.iter().all(follows) {
        Ok(())
    } else {
        Err(SyncError::Invalid("the events of a push must follow each other".to_owned()))
    }
}

fn without_metadata(event: &SyncEvent) -> (u64, u64, &str, &str, &str, &str) {
    let SyncEvent { seq, parent, name, args, client_id, session_id, .. } = event;
    (*seq, *parent, name, args, client_id, session_id)
}
