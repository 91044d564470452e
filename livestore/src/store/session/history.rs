//! The log's first events, for sessions that want them: a leader that was opened from an image fetches them
//! first.

use std::sync::Arc;
use std::time::Duration;

use super::hub::{answer, send, send_away};
use crate::edge::Line;
use crate::error::{ErrorChain, Unavailable};
use crate::event::SeqNum;
use crate::eventlog::EventlogError;
use crate::session::{FromLeader, Hello};
use crate::store::load_history::LoadHistoryError;
use crate::store::{HistoryError, Inner};

/// How long the backend may be silent meanwhile.
pub(in crate::store) const SILENCE: Duration = Duration::from_secs(30);

impl Inner {
    /// Sends all confirmed events up to `head`.
    pub(super) fn send_history(self: &Arc<Self>, line: &Line, head: SeqNum) {
        match self.history(head) {
            Ok(messages) => messages.iter().for_each(|message| answer(line, message)),
            Err(EventlogError::NotReceived { .. }) => self.load_and_send(line, head),
            Err(_) => line.close(),
        }
    }

    fn history(&self, head: SeqNum) -> Result<Vec<FromLeader>, EventlogError> {
        self.core()?.as_ref().ok_or(Unavailable::Closed)?.history(head)
    }

    fn load_and_send(self: &Arc<Self>, line: &Line, head: SeqNum) {
        let (inner, line) = (Arc::downgrade(self), line.clone());
        let then = move |loaded: Result<(), LoadHistoryError>| match (inner.upgrade(), loaded) {
            (Some(inner), Ok(())) => inner.send_history(&line, head),
            (Some(_), Err(error)) => {
                let reason = ErrorChain::new(&error).to_string();
                send(&line, &FromLeader::NoHistory(reason).encode());
            }
            (None, _) => line.close(),
        };
        self.load_history(SILENCE, Box::new(then));
    }

    /// Resets the state, as a session wants it.
    pub(super) fn carry_out_reset(self: &Arc<Self>) {
        let fail = |error: &(dyn std::error::Error + 'static)| {
            tracing::error!(error = %ErrorChain::new(error), "the state is not reset");
        };
        match self.reset() {
            Ok(()) => {}
            Err(HistoryError::Eventlog(EventlogError::NotReceived { .. })) => {
                let inner = Arc::downgrade(self);
                let then = move |loaded: Result<(), LoadHistoryError>| match loaded {
                    Ok(()) => inner.upgrade().iter().for_each(Self::carry_out_reset),
                    Err(error) => fail(&error),
                };
                self.load_history(SILENCE, Box::new(then));
            }
            Err(error) => fail(&error),
        }
    }

    /// Welcomes a session that needs the log's first events.
    pub(super) fn load_and_welcome(self: &Arc<Self>, id: u64, line: &Line, hello: Hello) {
        let (inner, line) = (Arc::downgrade(self), line.clone());
        let then = move |loaded: Result<(), LoadHistoryError>| {
            let Some(inner) = inner.upgrade() else { return line.close() };
            let hub = inner.with_core(|core| core.hub.clone()).ok().flatten();
            // It may have come back on another line, or gone.
            let Some(hub) = hub.filter(|hub| hub.has_peer(id)) else { return line.close() };
            match loaded {
                Ok(()) => inner.welcome(&hub, id, &line, hello),
                Err(error) => send_away(&line, &error),
            }
        };
        self.load_history(SILENCE, Box::new(then));
    }
}
