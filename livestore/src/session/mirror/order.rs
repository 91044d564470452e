//! The leader's order, and the numbers of events in it.

use super::{Change, OutOfStep};
use crate::event::{EncodedEvent, SeqNum};
use crate::eventlog::is_after;
use crate::sync::merge::SyncState;

/// The leader's order at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeaderOrder {
    pub(crate) state: SyncState,
    pub(crate) syncs: bool,
    pub(crate) history_id: String,
    /// The number of events that it has more of this session than have arrived.
    pub(crate) surplus: i64,
}

impl LeaderOrder {
    /// Moves to the order after a change. Adds what is confirmed by it to `confirmed`.
    pub(super) fn add(
        &mut self,
        change: Change,
        session_id: &str,
        confirmed: &mut Vec<EncodedEvent>,
    ) -> Result<(), OutOfStep> {
        match change {
            // Whoever counts the events of commits plans such a change by itself.
            Change::Decided { .. } => return Err(OutOfStep),
            Change::Merged { merge, .. } if merge.decisions.surplus(session_id) != 0 => {
                return Err(OutOfStep);
            }
            Change::Committed(events) => {
                check_next(self.state.local_head, &events)?;
                if !self.syncs {
                    let head = events.last().map_or(self.state.local_head, |event| event.seq);
                    (self.state.upstream_head, self.state.confirmed_head) = (head, head);
                    self.state.local_head = head;
                    confirmed.extend(events);
                    return Ok(());
                }
                let before = self.state.pending.len();
                self.state.commit(events.clone());
                if self.state.pending.len() == before {
                    confirmed.extend(events);
                }
            }
            Change::Merged { rewrites_history: Some(_), .. } => return Err(OutOfStep),
            Change::Merged { merge, rewrites_history: None } => {
                if merge.confirmed.len() > self.state.pending.len() {
                    return Err(OutOfStep);
                }
                let pairs = self.state.pending.iter().zip(&merge.confirmed);
                confirmed.extend(pairs.map(|(event, of)| EncodedEvent {
                    sync_metadata: of.sync_metadata.clone(),
                    ..event.clone()
                }));
                confirmed.extend(merge.new.iter().cloned());
                self.state.publish(merge);
            }
        }
        Ok(())
    }
}

/// Checks that there are events, and that they follow the last one.
pub(super) fn check_next(head: SeqNum, events: &[EncodedEvent]) -> Result<(), OutOfStep> {
    let first = events.first().ok_or(OutOfStep)?;
    let (next, _) = head.next(first.is_client_only());
    if is_after(first.seq, next) || is_after(next, first.seq) { Err(OutOfStep) } else { Ok(()) }
}

/// Gives the events the numbers behind `head`.
pub(crate) fn behind(
    head: SeqNum,
    events: impl Iterator<Item = EncodedEvent>,
) -> Vec<EncodedEvent> {
    let mut head = head;
    let numbered = events.map(|event| {
        let (seq, parent) = head.next(event.is_client_only());
        head = seq;
        EncodedEvent { seq, parent, ..event }
    });
    numbered.collect()
}
