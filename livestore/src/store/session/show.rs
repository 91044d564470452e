//! What a leader shows to a tool that does not know the app's types.

use std::sync::Arc;

use super::Hub;
use super::hub::{answer, send};
use crate::edge::Line;
use crate::error::{ErrorChain, Unavailable};
use crate::session::{Bytes, FromLeader, Inspect, Inspected, MAX_MESSAGE, PresentState, Refusal};
use crate::store::{HistoryError, Inner};

/// What a message has beside the state's bytes, at most.
const BESIDE: usize = 1 << 20;

impl Inner {
    /// Answers the question of a tool.
    pub(super) fn show(self: &Arc<Self>, hub: &Hub, line: &Line, inspect: &Inspect) {
        if inspect.store_id != self.store_id {
            let refusal = Refusal::Store(self.store_id.clone());
            return send(line, &FromLeader::Refused(refusal).encode());
        }
        match self.inspected(hub, inspect) {
            Ok(Inspected { state: Some(state), .. })
                if state.bytes.0.len() > MAX_MESSAGE - BESIDE =>
            {
                let reason =
                    format!("its state of {} bytes is too large to be sent", state.bytes.0.len());
                send(line, &FromLeader::Failed(reason).encode());
            }
            Ok(inspected) => answer(line, &FromLeader::Inspected(inspected)),
            Err(HistoryError::Closed) => line.close(),
            Err(error) => {
                let reason = ErrorChain::new(&error).to_string();
                send(line, &FromLeader::Failed(reason).encode());
            }
        }
    }

    fn inspected(
        self: &Arc<Self>,
        hub: &Hub,
        inspect: &Inspect,
    ) -> Result<Inspected, HistoryError> {
        let state = inspect.wants_state.then(|| self.present_bytes()).transpose()?;
        let slot = self.core()?;
        let core = slot.as_ref().ok_or(Unavailable::Closed)?;
        Ok(Inspected {
            status: core.sync_status(),
            sessions: hub.sessions(&self.session_id),
            state: state.map(|(head, bytes)| PresentState {
                head,
                schema_hash: self.schema_hash,
                bytes: Bytes(bytes),
            }),
        })
    }
}
