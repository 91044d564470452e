//! Commits that a session could not get to its leader before it ended.

use std::sync::Arc;

use super::hub::AddError;
use crate::error::ErrorChain;
use crate::event::EncodedEvent;
use crate::eventlog::EventlogError;
use crate::session::{Recover, Recovered};
use crate::store::Inner;

impl Inner {
    /// Adds the commits to the log that are not there yet, and waits until it has them as durably as its
    /// setting says.
    pub(super) fn recover(&self, recover: Recover) -> Result<(), EventlogError> {
        let Recover { session_id, commits, .. } = recover;
        let log = self.log()?;
        let there = log.count_of_session(&session_id)?;
        let there = there.saturating_add_signed(-log.surplus(&session_id)?);
        let missing = commits.into_iter().filter(|commit| commit.behind >= there);
        for Recovered { events, .. } in missing {
            self.add_commit_of(&session_id, events).map_err(|error| match error {
                AddError::Closed => EventlogError::Closed,
                AddError::Refused(error) => error,
                AddError::Lost(error) => {
                    let reason = ErrorChain::new(&error).to_string();
                    EventlogError::Unacknowledged { reason }
                }
            })?;
        }
        self.log()?.flush()
    }

    /// Adds a session's commit to the log, and applies it. Its app knows it as
    /// committed: if it cannot be applied, it is quarantined.
    pub(super) fn add_commit_of(
        &self,
        session_id: &Arc<str>,
        events: Vec<EncodedEvent>,
    ) -> Result<(), AddError> {
        let mut slot = self.core().map_err(|_| AddError::Closed)?;
        let core = slot.as_mut().ok_or(AddError::Closed)?;
        let events = events.into_iter().enumerate().map(|(n, event)| EncodedEvent {
            client_id: Arc::clone(&self.client_id),
            session_id: Arc::clone(session_id),
            sync_metadata: None,
            continues: n > 0,
            ..event
        });
        match core.add_session_commit(events) {
            Ok(quarantined) => {
                self.tail.advance(core.confirmed_head());
                drop(slot);
                self.wake_sync();
                self.notify_quarantined(&quarantined);
                crate::live::deliver();
                Ok(())
            }
            Err(AddError::Lost(error)) => {
                self.fail(&mut slot, &error);
                Err(AddError::Lost(error))
            }
            Err(error) => Err(error),
        }
    }
}
