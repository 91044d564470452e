//! The commit of another session arrives: it comes behind all others.

use std::sync::Arc;

use super::hub::AddError;
use crate::error::ErrorChain;
use crate::event::{Conflict, EncodedEvent, WithdrawnEvent};
use crate::eventlog::{CommandNotes, EventlogError, LogChange};
use crate::session::{Change, FromLeader, behind};
use crate::state::{Again, Quarantined, events_of};
use crate::store::Core;
use crate::store::order::Order;
use crate::store::transition::check_events;

/// A commit whose command has decided again.
struct Decided {
    events: Vec<EncodedEvent>,
    conflict: Option<Conflict>,
}

impl Core {
    /// Adds a commit of a session behind all others. If it is that of a command, which decides otherwise here
    /// than it did there, it has the events that are decided here.
    pub(super) fn add_session_commit(
        &mut self,
        events: impl Iterator<Item = EncodedEvent>,
    ) -> Result<Vec<Quarantined>, AddError> {
        let sent: Vec<_> = events.collect();
        match self.decide_arrived(&sent)? {
            Some(decided) => self.add_decided(&sent, decided),
            None => self.add_events(sent),
        }
    }

    fn add_events(&mut self, sent: Vec<EncodedEvent>) -> Result<Vec<Quarantined>, AddError> {
        let events = behind(self.state.head, sent.into_iter());
        let Some(first) = events.first().map(|event| event.seq) else { return Ok(Vec::new()) };
        self.log.append(&mut self.logged(&events)).map_err(AddError::Refused)?;
        let quarantined = match self.append(&events) {
            Ok(quarantined) => quarantined,
            Err(error) => {
                // The state is what it was once the log is.
                self.log.retract(first).map_err(AddError::Refused)?;
                self.restore().map_err(AddError::Lost)?;
                let reason = ErrorChain::new(&error).to_string();
                return Err(AddError::Refused(EventlogError::Unacknowledged { reason }));
            }
        };
        self.advance_head(&events);
        self.share(events);
        Ok(quarantined)
    }

    /// The events as the log has them: where they are confirmed at once, no command decides again.
    fn logged(&self, events: &[EncodedEvent]) -> Vec<EncodedEvent> {
        let is_own = matches!(self.order, Order::Own);
        let logged = |event: &EncodedEvent| EncodedEvent {
            command: event.command.clone().filter(|_| !is_own),
            ..event.clone()
        };
        events.iter().map(logged).collect()
    }

    fn advance_head(&mut self, events: &[EncodedEvent]) {
        if let Some(head) = events.last() {
            self.state.head = head.seq;
        }
        if let Some(snapshots) = &self.snapshots {
            snapshots.after_commit(events.len() as u64);
        }
    }

    /// Executes the command of a commit that has arrived, if it has one. `None` if its events stay.
    fn decide_arrived(&mut self, sent: &[EncodedEvent]) -> Result<Option<Decided>, AddError> {
        let decided = match self.state.execute_again(sent) {
            Again::Events => return Ok(None),
            Again::Same => Ok(None),
            Again::Failed(error) => Err(error),
            Again::Other(entries) => {
                let schema_hash = self.schema_hash().map_err(AddError::Lost)?;
                let events = events_of(sent, entries, schema_hash);
                check_events(self.order.syncs())(&events).map(|()| Some(events))
            }
        };
        let decided = match decided {
            Ok(other) => {
                let events = other.as_deref().unwrap_or(sent);
                self.would_apply(events)?.map(|()| other)
            }
            Err(error) => Err(error),
        };
        Ok(match decided {
            Ok(None) => None,
            Ok(Some(events)) => Some(Decided { events, conflict: None }),
            Err(error) => {
                let command = sent.first().and_then(|first| first.command.as_ref());
                let withdrawn = sent.iter().map(|event| WithdrawnEvent {
                    name: event.name.clone().into_owned(),
                    args: event.args.clone(),
                });
                let conflict = command
                    .map(|command| Conflict::new(command, withdrawn, error, self.confirmed_head()));
                Some(Decided { events: Vec::new(), conflict })
            }
        })
    }

    fn would_apply(&mut self, events: &[EncodedEvent]) -> Result<Result<(), String>, AddError> {
        let events = behind(self.state.head, events.iter().cloned());
        let applies = self.state.would_apply(&events).map_err(|error| {
            let reason = ErrorChain::new(&error).to_string();
            AddError::Refused(EventlogError::Unacknowledged { reason })
        })?;
        if self.state.savepoint_lost() {
            self.reapply_pending(&[]).map_err(AddError::Lost)?;
        }
        Ok(applies)
    }

    fn add_decided(
        &mut self,
        sent: &[EncodedEvent],
        decided: Decided,
    ) -> Result<Vec<Quarantined>, AddError> {
        let Some(first) = sent.first() else { return Ok(Vec::new()) };
        let Decided { events, conflict } = decided;
        let events = behind(self.state.head, events.into_iter());
        let failure = conflict.as_ref().map(|conflict| conflict.error.clone());
        let surplus = events.len() as i64 - sent.len() as i64;
        let notes = CommandNotes {
            conflicts: conflict.into_iter().collect(),
            surplus: vec![(Arc::clone(&first.session_id), surplus)],
            ..CommandNotes::default()
        };
        let logged = self.logged(&events);
        self.log
            .change(&LogChange {
                confirmed: Vec::new(),
                remove_from: None,
                append: logged.iter().collect(),
                upstream: None,
                new_history: None,
                confirmed_head: self.confirmed_head(),
                commands: notes.clone(),
            })
            .map_err(AddError::Refused)?;
        // It has proved that it applies.
        let quarantined = self.append(&events).map_err(AddError::Lost)?;
        self.advance_head(&events);
        self.share_decided(first, sent.len(), events, failure);
        self.note_conflicts(&notes);
        Ok(quarantined)
    }

    fn share_decided(
        &mut self,
        first: &EncodedEvent,
        sent: usize,
        events: Vec<EncodedEvent>,
        failure: Option<String>,
    ) {
        let session_id = Arc::clone(&first.session_id);
        if let Order::Backend(engine) = &mut self.order {
            engine.commit(events.clone());
        }
        self.broadcast(|| {
            FromLeader::Changed(Change::Decided { session_id, sent, events, failure })
        });
    }
}
