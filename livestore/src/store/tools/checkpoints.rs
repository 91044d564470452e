//! States of the past that stay in memory, so that the ones between them need no long replay.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read};
use std::sync::Arc;

use crate::event::SeqNum;

/// Checkpoints share the pages that are equal, as SQLite has them.
const PAGE: usize = 4_096;

/// The number of events from one checkpoint to the next, at first.
const INTERVAL: usize = 1_000;

/// The most bytes of all pages. Beyond, every second checkpoint is dropped, and the interval doubled.
const MAX_BYTES: usize = 256 << 20;

/// The state after an event, as bytes.
#[derive(Debug)]
pub(super) struct Checkpoint {
    pub(super) head: SeqNum,
    pages: Vec<Arc<[u8]>>,
}

/// All checkpoints of one history, by their places in the log.
#[derive(Debug)]
pub(super) struct Checkpoints {
    by_place: BTreeMap<(u64, u64), Arc<Checkpoint>>,
    interval: usize,
    max_bytes: usize,
    bytes: usize,
    /// The history that they are of: see [`Core::histories`](crate::store::Core).
    history: u64,
}

impl Default for Checkpoints {
    fn default() -> Self {
        Self {
            by_place: BTreeMap::new(),
            interval: INTERVAL,
            max_bytes: MAX_BYTES,
            bytes: 0,
            history: 0,
        }
    }
}

impl Checkpoints {
    /// The number of events from one checkpoint to the next.
    pub(super) fn interval(&self) -> usize {
        self.interval
    }

    /// Drops all, if they are not of this history.
    pub(super) fn belong_to(&mut self, history: u64) {
        if self.history != history {
            *self = Self { history, max_bytes: self.max_bytes, ..Self::default() };
        }
    }

    /// The last checkpoint that is not after `seq`.
    pub(super) fn nearest(&self, seq: SeqNum) -> Option<Arc<Checkpoint>> {
        self.by_place.range(..=place(seq)).next_back().map(|(_, found)| Arc::clone(found))
    }

    /// Adds the state after `head`, of the history that the others are of.
    pub(super) fn add(&mut self, head: SeqNum, bytes: &[u8], history: u64) {
        if history != self.history || self.by_place.contains_key(&place(head)) {
            return;
        }
        let neighbour = self.nearest(head);
        let pages = bytes.chunks(PAGE).enumerate().map(|(n, page)| {
            let theirs = neighbour.as_ref().and_then(|neighbour| neighbour.pages.get(n));
            match theirs.filter(|theirs| ***theirs == *page) {
                Some(theirs) => Arc::clone(theirs),
                None => {
                    self.bytes += page.len();
                    Arc::from(page)
                }
            }
        });
        let pages = pages.collect();
        self.by_place.insert(place(head), Arc::new(Checkpoint { head, pages }));
        while self.bytes > self.max_bytes && self.by_place.len() > 1 {
            self.thin_out();
        }
    }

    fn thin_out(&mut self) {
        self.interval = self.interval.saturating_mul(2);
        let mut n = 0;
        self.by_place.retain(|_, _| {
            n += 1;
            n % 2 == 0
        });
        let mut counted = HashSet::new();
        let pages = self.by_place.values().flat_map(|checkpoint| &checkpoint.pages);
        let own = pages.filter(|page| counted.insert(Arc::as_ptr(page).addr()));
        self.bytes = own.map(|page| page.len()).sum();
    }
}

impl Checkpoint {
    /// The number of its bytes.
    pub(super) fn length(&self) -> usize {
        self.pages.iter().map(|page| page.len()).sum()
    }

    /// Reads its bytes.
    pub(super) fn bytes(&self) -> impl Read + '_ {
        Pages { pages: &self.pages, at: 0 }
    }
}

/// Reads pages one after the other.
struct Pages<'a> {
    pages: &'a [Arc<[u8]>],
    /// The number of bytes of the first one that were read.
    at: usize,
}

impl Read for Pages<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while let (Some((first, rest)), true) = (self.pages.split_first(), done < buffer.len()) {
            let (from, to) = (first.get(self.at..), buffer.get_mut(done..));
            let (Some(from), Some(to)) = (from, to) else { break };
            let length = from.len().min(to.len());
            if let (Some(from), Some(to)) = (from.get(..length), to.get_mut(..length)) {
                to.copy_from_slice(from);
            }
            (self.at, done) = (self.at + length, done + length);
            if self.at == first.len() {
                (self.pages, self.at) = (rest, 0);
            }
        }
        Ok(done)
    }
}

fn place(seq: SeqNum) -> (u64, u64) {
    (seq.global, seq.client)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_of(pages: &[u8]) -> Vec<u8> {
        pages.iter().flat_map(|byte| [*byte; PAGE]).collect()
    }

    fn read(checkpoint: &Checkpoint) -> Vec<u8> {
        let mut bytes = Vec::new();
        checkpoint.bytes().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len(), checkpoint.length());
        bytes
    }

    #[test]
    fn the_nearest_before_an_event_is_found() {
        let mut all = Checkpoints::default();
        all.add(SeqNum::new(10), &bytes_of(&[1, 2]), 0);
        all.add(SeqNum::new(20), &bytes_of(&[1, 3, 4]), 0);
        assert!(all.nearest(SeqNum::new(9)).is_none());
        let client = SeqNum { client: 2, ..SeqNum::new(10) };
        assert_eq!(read(&all.nearest(client).unwrap()), bytes_of(&[1, 2]));
        assert_eq!(read(&all.nearest(SeqNum::new(99)).unwrap()), bytes_of(&[1, 3, 4]));
    }

    #[test]
    fn equal_pages_are_there_once() {
        let mut all = Checkpoints::default();
        (0..100).for_each(|n| all.add(SeqNum::new(n), &bytes_of(&[1, 2, 3, n as u8 + 4]), 0));
        assert_eq!(all.bytes, 103 * PAGE);
    }

    #[test]
    fn memory_is_bounded() {
        let mut all = Checkpoints { max_bytes: 10 * PAGE, ..Checkpoints::default() };
        for n in 0..100 {
            all.add(SeqNum::new(n * 1_000), &bytes_of(&[n as u8, 200 - n as u8]), 0);
            assert!(all.bytes <= all.max_bytes);
        }
        assert!(all.interval() > INTERVAL);
        assert!(all.nearest(SeqNum::new(99_000)).is_some());
    }

    #[test]
    fn another_history_has_none_of_them() {
        let mut all = Checkpoints::default();
        all.add(SeqNum::new(10), &bytes_of(&[1]), 0);
        all.belong_to(1);
        all.add(SeqNum::new(20), &bytes_of(&[1]), 0);
        assert!(all.nearest(SeqNum::new(99)).is_none(), "the second one was made before");
    }
}
