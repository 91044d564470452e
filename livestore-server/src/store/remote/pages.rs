//! Reading an engine's events, page by page.

use std::future::Future;
use std::ops::ControlFlow;

use super::Threads;
use crate::store::{StoreError, StoredEvent};

/// Clients get 100 events at a time; one more shows that there are more.
pub(in crate::store) const FIRST_PAGE: u32 = 101;
/// Those who read on want everything.
pub(in crate::store) const NEXT_PAGES: u32 = 1_000;

/// Events that follow one another; a damaged one is an error.
pub(in crate::store) type EventPage = Vec<Result<StoredEvent, StoreError>>;

/// Visits the events after `after`, until there are no more or `visit` breaks. `page` returns the first ones
/// after a place, up to this many.
pub(in crate::store) fn read_pages<F>(
    threads: &Threads,
    mut after: u64,
    visit: &mut dyn FnMut(StoredEvent) -> ControlFlow<()>,
    page: impl Fn(u64, u32) -> F,
) -> Result<(), StoreError>
where
    F: Future<Output = Result<EventPage, StoreError>>,
{
    let mut size = FIRST_PAGE;
    loop {
        let events = threads.block_on(page(after, size))?;
        if events.is_empty() {
            return Ok(());
        }
        for stored in events {
            let stored = stored?;
            after = stored.event().seq;
            if visit(stored).is_break() {
                return Ok(());
            }
        }
        size = NEXT_PAGES;
    }
}
