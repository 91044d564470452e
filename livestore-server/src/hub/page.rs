use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use livestore_protocol::{MAX_BATCH_BYTES, MAX_EVENTS, More, PageWriter, SyncEvent};

use crate::store::StoredEvent;

/// Consecutive events of a store's order, encoded once for all who receive them.
#[derive(Debug)]
pub struct Page {
    /// The event before it.
    pub after: u64,
    /// Its last event.
    pub last: u64,
    /// The number of its events.
    pub(crate) count: usize,
    /// Whether more events follow, as far as was known.
    pub more: More,
    /// The number of bytes that it takes in memory, at most.
    pub(super) size: usize,
    content: Mutex<Content>,
}

#[derive(Debug)]
enum Content {
    /// Events that nobody has asked for yet.
    Events {
        events: Arc<[StoredEvent]>,
        range: Range<usize>,
        backend_id: Arc<str>,
    },
    Json(Arc<str>),
}

impl Page {
    /// Returns the page that follows `after`; it may be empty.
    pub(super) fn new(after: u64, events: &[StoredEvent], more: More, backend_id: &str) -> Self {
        let json = encode(events, more, backend_id);
        let last = events.last().map_or(after, |last| last.event().seq);
        Self {
            after,
            last,
            count: events.len(),
            more,
            size: json.len(),
            content: Mutex::new(Content::Json(json)),
        }
    }

    /// Returns the pages of events that were just accepted. They are encoded when the first
    /// subscriber asks for them, if one ever does.
    pub(super) fn live(events: &Arc<[StoredEvent]>, backend_id: &Arc<str>) -> Vec<Self> {
        let mut pages = Vec::with_capacity(1);
        let mut rest = &**events;
        while let Some(first) = rest.first() {
            let mut fill = Fill::default();
            let fitting = rest.iter().take_while(|stored| fill.take(stored.event())).count().max(1);
            let start = events.len() - rest.len();
            let (page, after) = rest.split_at(fitting);
            let content = Content::Events {
                events: Arc::clone(events),
                range: start..start + fitting,
                backend_id: Arc::clone(backend_id),
            };
            pages.push(Self {
                after: first.event().parent,
                last: page.last().unwrap_or(first).event().seq,
                count: fitting,
                more: More::No,
                size: page.iter().map(|stored| stored.event().wire_size()).sum(),
                content: Mutex::new(content),
            });
            rest = after;
        }
        pages
    }

    /// Returns the page as JSON.
    pub fn json(&self) -> Arc<str> {
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        let json = match &*content {
            Content::Json(json) => return Arc::clone(json),
            Content::Events { events, range, backend_id } => {
                let events = events.get(range.clone()).unwrap_or_default();
                encode(events, self.more, backend_id)
            }
        };
        *content = Content::Json(Arc::clone(&json));
        json
    }
}

fn encode(events: &[StoredEvent], more: More, backend_id: &str) -> Arc<str> {
    let mut json = String::new();
    let mut page = PageWriter::new(&mut json);
    events.iter().for_each(|stored| page.accepted_event(stored.event(), stored.created_at()));
    page.end(more, backend_id);
    json.into()
}

/// How full a page is.
pub(super) struct Fill {
    events: usize,
    bytes: usize,
    max_bytes: usize,
}

impl Default for Fill {
    fn default() -> Self {
        Self::up_to(MAX_BATCH_BYTES)
    }
}

impl Fill {
    /// A page of at most this many bytes.
    pub(super) fn up_to(max_bytes: usize) -> Self {
        Self { events: 0, bytes: 0, max_bytes: max_bytes.min(MAX_BATCH_BYTES) }
    }

    /// Adds an event; returns whether it fits. The first event of a page always does.
    pub(super) fn take(&mut self, event: &SyncEvent) -> bool {
        let bytes = self.bytes + event.wire_size();
        let fits = self.events == 0 || (self.events < MAX_EVENTS && bytes <= self.max_bytes);
        (self.events, self.bytes) = (self.events + 1, bytes);
        fits
    }
}
