use livestore::sync::{More, SyncEvent};
use livestore_sync::wire::{MAX_BATCH_BYTES, MAX_EVENTS, PageWriter, wire_size};

use crate::store::StoredEvent;

/// A piece of a store's order, as JSON: one text for all who get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The event before it.
    pub after: u64,
    /// Its last event.
    pub last: u64,
    /// What comes after it, as far as was known.
    pub more: More,
    /// The page.
    pub json: String,
}

impl Page {
    /// The page that follows `after`; there may be nothing on it.
    pub(super) fn new(after: u64, events: &[StoredEvent], more: More, backend_id: &str) -> Self {
        let mut json = String::new();
        let mut page = PageWriter::new(&mut json);
        events.iter().for_each(|stored| page.event(stored.event()));
        page.end(more, backend_id);
        let last = events.last().map_or(after, |last| last.event().seq);
        Self { after, last, more, json }
    }

    /// Events that were just accepted, on as many pages as they take.
    pub(super) fn live(events: &[StoredEvent], backend_id: &str) -> Vec<Self> {
        let mut pages = Vec::with_capacity(1);
        let mut rest = events;
        while let Some(first) = rest.first() {
            let mut room = Fill::default();
            let fitting = rest.iter().take_while(|stored| room.take(stored.event())).count();
            let (page, after) = rest.split_at(fitting.max(1));
            pages.push(Self::new(first.event().parent, page, More::No, backend_id));
            rest = after;
        }
        pages
    }
}

/// How full a page is.
#[derive(Default)]
pub(super) struct Fill {
    events: usize,
    bytes: usize,
}

impl Fill {
    /// Whether the event fits as well. A page takes its first event whatever its size.
    pub(super) fn take(&mut self, event: &SyncEvent) -> bool {
        let bytes = self.bytes + wire_size(event);
        let fits = self.events == 0 || (self.events < MAX_EVENTS && bytes <= MAX_BATCH_BYTES);
        (self.events, self.bytes) = (self.events + 1, bytes);
        fits
    }
}
