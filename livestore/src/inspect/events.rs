//! The events of a folder's log.

use crate::event::{EncodedEvent, SeqNum};
use crate::eventlog::{Eventlog, EventlogError, PAGE_BYTES, is_after};

/// The most events that are read at once.
const PAGE: usize = 4_096;

/// The events of a log in order, made by [`Folder::events`](super::Folder::events).
///
/// When it has come to the end, it goes on with what has been written since, if it is asked again.
#[derive(Debug)]
pub struct FolderEvents {
    log: Eventlog,
    at: SeqNum,
    to: Option<SeqNum>,
    page: std::vec::IntoIter<EncodedEvent>,
    failed: bool,
}

impl FolderEvents {
    pub(super) fn new(log: Eventlog) -> Self {
        Self { log, at: SeqNum::ROOT, to: None, page: Vec::new().into_iter(), failed: false }
    }

    /// Begins behind this event.
    #[must_use]
    pub fn after(mut self, seq: SeqNum) -> Self {
        self.at = seq;
        self
    }

    /// Ends with this event.
    #[must_use]
    pub fn to(mut self, seq: SeqNum) -> Self {
        self.to = Some(seq);
        self
    }
}

impl Iterator for FolderEvents {
    type Item = Result<EncodedEvent, EventlogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        if self.page.as_slice().is_empty() {
            match self.log.read_within(self.at, PAGE, PAGE_BYTES) {
                Ok(page) => self.page = page.into_iter(),
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            }
        }
        let event = self.page.next()?;
        if self.to.is_some_and(|to| is_after(event.seq, to)) {
            return None;
        }
        self.at = event.seq;
        Some(Ok(event))
    }
}
