//! Stepping down: a leader without a backend makes room for a session that has one.

use std::sync::Arc;

use super::seek::{Input, Seeker};
use super::{Follower, Setup};
use crate::edge::Mailbox;
use crate::eventlog::{Eventlog, EventlogError, SharedLog};
use crate::session::{LeaderOrder, Mirror};
use crate::state::ReplayError;
use crate::store::open::EVENTLOG;
use crate::store::order::Order;
use crate::store::{Core, Inner};
use crate::sync::NetworkStatus;
use crate::sync::merge::SyncState;

/// Why a leader goes on leading.
#[derive(Debug, thiserror::Error)]
pub(super) enum StaysLeader {
    #[error("it has a backend, or does not lead")]
    NotNeeded,
    #[error(transparent)]
    Log(#[from] EventlogError),
    #[error(transparent)]
    State(#[from] ReplayError),
}

impl Inner {
    /// Follows from now on, if this session leads without a backend. For a moment it leaves the directory's
    /// lock to others; if nobody has it then, it leads again.
    pub(super) fn step_down(self: &Arc<Self>) -> Result<(), StaysLeader> {
        let setup = self.sessions.setup.as_ref().filter(|setup| setup.sync.is_none());
        let setup = setup.ok_or(StaysLeader::NotNeeded)?;
        let mut slot = self.core().map_err(EventlogError::from)?;
        let core = slot.as_mut().ok_or(StaysLeader::NotNeeded)?;
        if !matches!(core.order, Order::Own) {
            return Err(StaysLeader::NotNeeded);
        }
        let follower = core.follower(setup, &self.session_id)?;
        let mailbox = Arc::new(Mailbox::new());
        let seeker = Seeker::yielding(Arc::downgrade(self), Arc::clone(&mailbox));
        core.state.begin_pending().map_err(ReplayError::from)?;
        let earlier = match self.sessions.start(Arc::clone(&mailbox), seeker) {
            Ok(earlier) => earlier,
            Err(error) => {
                core.state.confirm_pending().map_err(ReplayError::from)?;
                return Err(EventlogError::NoThread(error.into()).into());
            }
        };
        core.log = Eventlog::new(follower.log().clone());
        core.rebases += 1;
        core.order = Order::Leader(Box::new(follower));
        if let Some(snapshots) = core.snapshots.take() {
            snapshots.abandon();
        }
        let (hub, lock) = (core.hub.take(), core.lock.take());
        drop(slot);
        drop(earlier);
        tracing::info!("this session leaves it to one with a backend to lead");
        if let Some(hub) = hub {
            hub.close();
        }
        // The socket's file is removed by then.
        drop(lock);
        mailbox.put(Input::closed("this session has led itself"));
        Ok(())
    }
}

impl Core {
    /// The part of the store that follows whoever leads next, where all events so far are confirmed.
    fn follower(&self, setup: &Setup, session_id: &Arc<str>) -> Result<Follower, EventlogError> {
        self.log.flush()?;
        let log = SharedLog::open(&setup.folder.join(EVENTLOG))?;
        let head = self.state.head;
        log.set(head, []);
        let state = SyncState {
            upstream_head: head,
            confirmed_head: head,
            local_head: head,
            ..SyncState::default()
        };
        let history_id = self.history_id()?;
        let order = LeaderOrder { state, syncs: false, history_id, surplus: 0 };
        let mut mirror = Mirror::new(Arc::clone(session_id), order);
        let own = self.log.count_of_session(session_id)?;
        mirror.set_arrived(usize::try_from(own).unwrap_or(usize::MAX));
        if let Some(last) = log.confirmed_event(head)? {
            mirror.set_last(&last);
        }
        Ok(Follower::new(mirror, log, None, NetworkStatus::None, None))
    }
}
