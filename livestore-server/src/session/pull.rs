use std::sync::Arc;

use livestore_protocol::{More, SyncError};

use crate::auth::Rights;
use crate::hub::{Next, Page, Room};
use crate::store::StoreError;

/// A pull: a place in the order, and what it waits for.
pub(super) struct Pull {
    /// The last event that was sent.
    cursor: u64,
    live: bool,
    phase: Phase,
}

/// What a pull does next.
pub(super) enum Step {
    Send(Arc<Page>),
    Read { after: u64 },
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
) -> Result<Pull, SyncError> {
    super::push::check_store(&call.store_id, room)?;
    if !rights.read {
        return Err(SyncError::Refused("this token may not read the store".to_owned()));
    }
    let cursor = call.cursor.as_ref();
    super::push::check_backend(cursor.map(|cursor| cursor.backend_id.as_str()), room)?;
    let cursor = cursor.map_or(0, |cursor| cursor.head);
    Ok(Pull { cursor, live, phase: Phase::Stored })
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
    pub(super) fn acknowledge(&mut self) -> bool {
        let Phase::Unacknowledged { more } = self.phase else { return false };
        self.phase = Phase::Stored;
        !more
    }

    fn send(&mut self, page: Arc<Page>) -> Step {
        self.sent(&page);
        Step::Send(page)
    }

    fn read(&mut self, phase: Phase) -> Step {
        self.phase = phase;
        Step::Read { after: self.cursor }
    }
}
