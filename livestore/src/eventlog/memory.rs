//! A log that lives as long as its store.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{EventlogError, Storage, is_after};
use crate::event::{EncodedEvent, SeqNum};

/// Events in a `Vec`.
#[derive(Debug, Default)]
pub(crate) struct MemoryLog {
    events: Mutex<Vec<EncodedEvent>>,
}

impl MemoryLog {
    pub(crate) fn with(events: Vec<EncodedEvent>) -> Self {
        Self { events: Mutex::new(events) }
    }

    fn events(&self) -> MutexGuard<'_, Vec<EncodedEvent>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Storage for MemoryLog {
    fn append(&self, events: Vec<EncodedEvent>) -> Result<(), EventlogError> {
        self.events().extend(events);
        Ok(())
    }

    fn read(&self, after: SeqNum, limit: usize) -> Result<Vec<EncodedEvent>, EventlogError> {
        let events = self.events();
        let start = events.partition_point(|event| !is_after(event.seq, after));
        Ok(events.iter().skip(start).take(limit).cloned().collect())
    }

    fn last(&self) -> Result<Option<EncodedEvent>, EventlogError> {
        Ok(self.events().last().cloned())
    }

    fn count(&self, after: SeqNum) -> Result<u64, EventlogError> {
        let events = self.events();
        let start = events.partition_point(|event| !is_after(event.seq, after));
        Ok((events.len() - start) as u64)
    }

    fn flush(&self) -> Result<(), EventlogError> {
        Ok(())
    }
}
