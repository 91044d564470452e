//! A log in pieces that fit in memory.

use super::{Eventlog, EventlogError, is_after};
use crate::event::{EncodedEvent, SeqNum};

/// The number of events on a page, by default.
pub(crate) const PAGE: usize = 512;

/// A page ends once its events have this many bytes of args: a log may be larger than memory, and its events large.
pub(crate) const PAGE_BYTES: usize = 4 << 20;

/// The log, page by page.
#[derive(Debug)]
pub(crate) struct Pages {
    log: Eventlog,
    at: SeqNum,
    to: SeqNum,
    size: usize,
    done: bool,
}

impl Pages {
    pub(super) fn new(log: Eventlog, after: SeqNum, to: SeqNum) -> Self {
        Self { log, at: after, to, size: PAGE, done: false }
    }

    /// The same, with this many events to a page.
    pub(crate) fn of(self, size: usize) -> Self {
        Self { size, ..self }
    }

    /// The next events; an empty page is the end.
    pub(crate) fn next_page(&mut self) -> Result<Vec<EncodedEvent>, EventlogError> {
        if self.done {
            return Ok(Vec::new());
        }
        let mut page = self.log.read_within(self.at, self.size, PAGE_BYTES)?;
        let beyond = page.iter().position(|event| is_after(event.seq, self.to));
        page.truncate(beyond.unwrap_or(page.len()));
        match page.last() {
            Some(last) if beyond.is_none() && is_after(self.to, last.seq) => self.at = last.seq,
            _ => self.done = true,
        }
        Ok(page)
    }
}

/// The first events, at most `limit` of them, up to the one with which they have `max_bytes` of args.
pub(super) fn first_within<'e>(
    events: impl Iterator<Item = &'e EncodedEvent>,
    limit: usize,
    max_bytes: usize,
) -> Vec<EncodedEvent> {
    let mut bytes = 0;
    let fitting = events.take(limit).take_while(|event| {
        let fits = bytes < max_bytes;
        bytes += event.args.len();
        fits
    });
    fitting.cloned().collect()
}

pub(super) fn bytes_of(events: &[EncodedEvent]) -> usize {
    events.iter().map(|event| event.args.len()).sum()
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use super::*;
    use crate::eventlog::{Durability, FileLog, MemoryLog};

    #[test]
    fn a_page_of_large_events_has_few() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("eventlog.db");
        let file = FileLog::open(&path, Durability::Written, "todos", || "id".into());
        let text = "x".repeat(1 << 20);
        let event = |seq| {
            let (at, before) = (SeqNum::new(seq), SeqNum::new(seq - 1));
            EncodedEvent::new(at, before, "v1.E", &text, "c".into(), "s".into())
        };
        for log in [Eventlog::new(MemoryLog::default()), Eventlog::new(file.unwrap())] {
            log.append(&mut (1..=10).map(event).collect()).unwrap();
            for (to, lens) in [(10, [4, 4, 2].as_slice()), (6, &[4, 2]), (4, &[4])] {
                let mut pages = log.pages(SeqNum::ROOT, SeqNum::new(to));
                let page = || pages.next_page().unwrap();
                let read: Vec<_> =
                    std::iter::repeat_with(page).take_while(|p| !p.is_empty()).collect();
                assert_eq!(read.iter().map(Vec::len).collect::<Vec<_>>(), lens);
                let seqs = read.concat().into_iter().map(|event| event.seq.global);
                assert!(seqs.eq(1..=to));
            }
        }
    }
}
