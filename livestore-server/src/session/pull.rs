use std::sync::Arc;

use livestore_protocol::{MAX_BATCH_BYTES, More, SyncError, Timestamp};

use crate::auth::Rights;
use crate::hub::{Next, Page, Room};
use crate::store::StoreError;

/// A pull: a place in the order, and what it waits for.
pub(super) struct Pull {
    /// The last event that was sent.
    cursor: u64,
    live: bool,
    phase: Phase,
    pace: Pace,
}

/// What a pull does next.
pub(super) enum Step {
    Send(Arc<Page>),
    Read { after: u64, max_bytes: usize },
}

#[derive(Clone, Copy)]
enum Phase {
    /// The next stored page may be sent.
    Stored,
    /// A page is being read.
    Reading,
    /// The client has not acknowledged the last stored page.
    Unacknowledged { more: bool },
    /// All that was stored is sent. What comes now is not paced by the client.
    Live,
    /// It fell behind what is in memory, and a page is being read.
    Behind,
}

/// Begins a pull, if it may be.
pub(super) fn start(
    call: &livestore_protocol::Pull,
    live: bool,
    rights: Rights,
    room: &Room,
    now: Timestamp,
) -> Result<Pull, SyncError> {
    super::push::check_store(&call.store_id, room)?;
    if !rights.read {
        return Err(SyncError::Refused("this token may not read the store".to_owned()));
    }
    let cursor = call.cursor.as_ref();
    super::push::check_backend(cursor.map(|cursor| cursor.backend_id.as_str()), room)?;
    let cursor = cursor.map_or(0, |cursor| cursor.head);
    Ok(Pull { cursor, live, phase: Phase::Stored, pace: Pace::new(now) })
}

impl Pull {
    /// Returns the failure of a read.
    pub(super) fn failure(&self, error: &StoreError) -> SyncError {
        SyncError::Failed(match (error, self.cursor) {
            // As short as the reason of a close frame.
            (StoreError::Behind { head }, cursor) => format!(
                "e{cursor} is not here, the last event is e{head}: restored from an older backup?"
            ),
            (error, _) => error.to_string(),
        })
    }

    pub(super) fn next(&mut self, room: &Room) -> Option<Step> {
        match self.phase {
            Phase::Stored if self.cursor == room.head() => {
                Some(self.send(Arc::new(room.nothing_after(self.cursor))))
            }
            Phase::Stored => Some(self.read(Phase::Reading)),
            Phase::Live => match room.after(self.cursor) {
                Next::Nothing => None,
                Next::Page(page) => Some(self.send(page)),
                Next::OnDisk => Some(self.read(Phase::Behind)),
            },
            Phase::Reading | Phase::Unacknowledged { .. } | Phase::Behind => None,
        }
    }

    /// The page is on its way to the client.
    pub(super) fn sent(&mut self, page: &Page) {
        self.cursor = page.last;
        self.phase = match self.phase {
            Phase::Live | Phase::Behind => Phase::Live,
            _ if self.live && page.more == More::No => Phase::Live,
            _ => Phase::Unacknowledged { more: page.more != More::No },
        };
    }

    /// The last event that was sent, if others follow without being asked for.
    pub(super) fn sent_live(&self) -> Option<u64> {
        matches!(self.phase, Phase::Live | Phase::Behind).then_some(self.cursor)
    }

    /// Whether that was the last the client waited for.
    pub(super) fn acknowledge(&mut self, now: Timestamp) -> bool {
        let Phase::Unacknowledged { more } = self.phase else { return false };
        self.pace.acknowledged(now);
        self.phase = Phase::Stored;
        !more
    }

    fn send(&mut self, page: Arc<Page>) -> Step {
        self.sent(&page);
        Step::Send(page)
    }

    fn read(&mut self, phase: Phase) -> Step {
        self.phase = phase;
        Step::Read { after: self.cursor, max_bytes: self.pace.page_bytes }
    }
}

/// How large pages are. They begin small, and grow as fast as a client acknowledges them: so a slow link
/// carries each in some seconds, and a client that is cut off again and again has got some of them.
struct Pace {
    page_bytes: usize,
    /// When the last page began.
    since: Timestamp,
}

impl Pace {
    const FIRST: usize = 64 << 10;
    const LEAST: usize = 16 << 10;
    const QUICK_MILLIS: i64 = 1_000;
    const SLOW_MILLIS: i64 = 4_000;

    fn new(now: Timestamp) -> Self {
        Self { page_bytes: Self::FIRST, since: now }
    }

    fn acknowledged(&mut self, now: Timestamp) {
        let took = now.as_millis().saturating_sub(self.since.as_millis());
        self.since = now;
        self.page_bytes = match took {
            ..=Self::QUICK_MILLIS => (self.page_bytes * 2).min(MAX_BATCH_BYTES),
            Self::SLOW_MILLIS.. => (self.page_bytes / 2).max(Self::LEAST),
            _ => self.page_bytes,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_fit_the_link() {
        // Bytes a second, and the bytes of a page that a pull comes to.
        for (rate, expected) in [
            (1_000, Pace::LEAST),
            (10_000, Pace::FIRST / 2),
            (20_000, Pace::FIRST),
            (100_000, 2 * Pace::FIRST),
            (10_000_000, MAX_BATCH_BYTES),
        ] {
            let (mut pace, mut now) = (Pace::new(Timestamp::from_millis(0)), 0);
            for _ in 0..20 {
                now += i64::try_from(pace.page_bytes).unwrap() * 1_000 / rate;
                pace.acknowledged(Timestamp::from_millis(now));
            }
            assert_eq!(pace.page_bytes, expected, "{rate} bytes a second");
        }
    }

    #[test]
    fn a_clock_that_is_set_changes_nothing_for_long() {
        let mut pace = Pace::new(Timestamp::MAX);
        pace.acknowledged(Timestamp::from_millis(i64::MIN));
        pace.acknowledged(Timestamp::MAX);
        assert_eq!(pace.page_bytes, Pace::FIRST);
    }
}
