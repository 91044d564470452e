use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{EventStore, Reply, StoreError, StoreId, StoreInfo, StoreLimits, StoredEvent};

/// A storage in memory, for tests and for servers that may lose their events.
#[derive(Debug)]
pub struct MemoryStore {
    limits: StoreLimits,
    logs: Mutex<BTreeMap<StoreId, Log>>,
    /// Locked until the answer is given, so that answers come in the order in which they took effect.
    order: Mutex<()>,
}

#[derive(Debug)]
struct Log {
    backend_id: String,
    bytes: u64,
    events: Vec<StoredEvent>,
}

impl MemoryStore {
    /// Returns an empty storage.
    pub fn new(limits: StoreLimits) -> Self {
        Self { limits, logs: Mutex::default(), order: Mutex::default() }
    }

    fn logs(&self) -> MutexGuard<'_, BTreeMap<StoreId, Log>> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find_or_make(
        &self,
        store: &StoreId,
        backend_id: Option<&str>,
    ) -> Result<StoreInfo, StoreError> {
        let mut logs = self.logs();
        if let Some(log) = logs.get(store) {
            return Ok(log.opened());
        }
        if logs.len() as u64 >= self.limits.stores {
            return Err(StoreError::TooManyStores { limit: self.limits.stores });
        }
        let backend_id = backend_id.map_or_else(super::new_backend_id, |id| Ok(id.to_owned()))?;
        let log = Log { backend_id, bytes: 0, events: Vec::new() };
        Ok(logs.entry(store.clone()).or_insert(log).opened())
    }

    fn add(&self, store: &StoreId, events: &[StoredEvent]) -> Result<(), StoreError> {
        let mut logs = self.logs();
        let log = logs.get_mut(store).ok_or(StoreError::Unknown)?;
        let bytes = log.bytes + events.iter().map(StoredEvent::size).sum::<u64>();
        match events.first() {
            Some(first) if first.event().parent != log.head() => {
                return Err(StoreError::Behind { head: log.head() });
            }
            _ if bytes > self.limits.bytes => {
                return Err(StoreError::StoreFull { limit: self.limits.bytes });
            }
            _ => {}
        }
        log.bytes = bytes;
        log.events.extend_from_slice(events);
        Ok(())
    }
}

impl Log {
    fn head(&self) -> u64 {
        self.events.last().map_or(0, |last| last.event().seq)
    }

    fn opened(&self) -> StoreInfo {
        StoreInfo { backend_id: self.backend_id.clone(), head: self.head(), bytes: self.bytes }
    }
}

impl EventStore for MemoryStore {
    fn open(&self, store: &StoreId, reply: Reply<StoreInfo>) {
        let _order = self.order.lock();
        reply(self.find_or_make(store, None));
    }

    fn open_as(&self, store: &StoreId, backend_id: &str, reply: Reply<StoreInfo>) {
        let _order = self.order.lock();
        reply(self.find_or_make(store, Some(backend_id)));
    }

    fn append(&self, store: &StoreId, events: Arc<[StoredEvent]>, reply: Reply<()>) {
        let _order = self.order.lock();
        reply(self.add(store, &events));
    }

    fn check(&self, reply: Reply<()>) {
        reply(Ok(()));
    }

    fn read(
        &self,
        store: &StoreId,
        after: u64,
        visit: &mut dyn FnMut(StoredEvent) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let logs = self.logs();
        let log = logs.get(store).ok_or(StoreError::Unknown)?;
        let from = log.events.partition_point(|stored| stored.event().seq <= after);
        for stored in log.events.iter().skip(from) {
            if visit(stored.clone()).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn list(&self) -> Result<Vec<(StoreId, StoreInfo)>, StoreError> {
        Ok(self.logs().iter().map(|(id, log)| (id.clone(), log.opened())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_conforms() {
        crate::store::conformance::check(MemoryStore::new);
    }
}
