//! Commands, their conflicts, undo and feeds, carried out.

use livestore::prelude::*;
use livestore::simulation;
use livestore::store::ConflictError;

use crate::app::{Key, is_refused};
use crate::bookings::Request;
use crate::client::Opened;
use crate::server::SERVER;
use crate::slot::{Asked, Committed};
use crate::targets::Feeding;
use crate::undo;
use crate::world::{World, is_disk};

impl World {
    pub(crate) fn execute(
        &mut self,
        index: usize,
        slot: usize,
        request: &Request,
    ) -> Result<(), String> {
        let Some((process, open)) = self.draw_session(index, slot) else { return Ok(()) };
        let session = open.session_id().to_owned();
        let executed = open.execute(request.clone());
        let how = match executed {
            Ok(0) | Err(ExecuteError::Command { .. }) => None,
            Err(ExecuteError::Commit(error)) if has_not_happened(&error) => None,
            Ok(_) => Some(false),
            // Nobody knows whether it is there.
            Err(ExecuteError::Commit(_)) => Some(true),
            Err(error) => {
                return Err(format!("client {index} cannot execute {request:?}: {error}"));
            }
        };
        if let Some(maybe) = how {
            self.figures.executed += 1;
            let how = self.committed(index, slot, &session, &request.keys(), maybe);
            if let Some(slot) = self.slot(index, slot) {
                slot.note_leader();
                slot.commit(process, request.keys(), &Committed { is_decided: true, ..how });
                slot.asked.push(Asked { request: request.clone(), is_resolved: false });
            }
        }
        self.look_at(index)?;
        self.open_all(index)
    }

    /// Resolves the first conflict, if there is one.
    pub(crate) fn resolve(&mut self, index: usize, slot: usize, retry: bool) -> Result<(), String> {
        let Some((process, open)) = self.draw_session(index, slot) else { return Ok(()) };
        let session = open.session_id().to_owned();
        let Some(conflict) = open.conflicts().ok().and_then(|all| all.into_iter().next()) else {
            return Ok(());
        };
        let (request, resolved) = (conflict.request, open.resolve(&conflict.id, retry));
        self.figures.resolved += 1;
        let how = match &resolved {
            Ok(()) => Some(false),
            Err(ConflictError::Failed { .. } | ConflictError::Closed) => None,
            Err(ConflictError::Commit(error)) if has_not_happened(error) => None,
            Err(ConflictError::Commit(_) | ConflictError::Eventlog(_)) => Some(true),
            Err(error) => return Err(format!("{request:?} cannot be resolved: {error}")),
        };
        if let Some(maybe) = how {
            let how = self.committed(index, slot, &session, &request.keys(), maybe);
            if let Some(slot) = self.slot(index, slot) {
                slot.note_leader();
                if retry {
                    slot.commit(process, request.keys(), &Committed { is_decided: true, ..how });
                }
                let of_it = slot.asked.iter_mut().filter(|it| it.request.mark() == request.mark());
                of_it.for_each(|asked| asked.is_resolved = true);
            }
        }
        self.look_at(index)?;
        self.open_all(index)
    }

    pub(crate) fn undo(&mut self, index: usize, slot: usize, again: bool) -> Result<(), String> {
        let Some((process, open)) = self.draw_session(index, slot) else { return Ok(()) };
        let session = open.session_id().to_owned();
        let before =
            open.events(SeqNum::ROOT, false).and_then(|all| Ok((all, open.quarantined()?)));
        let (done, keys) = open.undo(again);
        let how = match done {
            Ok(()) => {
                check_undone(open, before, &keys)?;
                Some(false)
            }
            Err(UndoError::Commit(error)) if !has_not_happened(&error) && !keys.is_empty() => {
                Some(true)
            }
            Err(error @ UndoError::UnknownEvent { .. }) => return Err(error.to_string()),
            Err(_) => None,
        };
        if let Some(maybe) = how {
            self.figures.undone += 1;
            let how = self.committed(index, slot, &session, &keys, maybe);
            if let Some(slot) = self.slot(index, slot) {
                slot.note_leader();
                slot.commit(process, keys, &how);
            }
        }
        self.look_at(index)?;
        self.open_all(index)
    }

    pub(crate) fn feed(
        &mut self,
        index: usize,
        slot: usize,
        process: usize,
        how: Feeding,
    ) -> Result<(), String> {
        let Some(client) = self.clients.get(index).filter(|client| !client.is_down) else {
            return Ok(());
        };
        let is_able = client.processes.get(process).is_some_and(|it| it.is_up && !it.hangs);
        let session = client.slots.get(slot).and_then(|slot| slot.sessions.get(process));
        let Some(session) = session.filter(|_| is_able) else { return Ok(()) };
        let before = session.targets.transactions();
        let fed = session.feed(how);
        self.figures.fed += session.targets.transactions() - before;
        simulation::own(SERVER);
        match fed {
            Err(what) if !is_disk(&what) => Err(format!("client {index}: {what}")),
            _ => {
                self.look_at(index)?;
                self.open_all(index)
            }
        }
    }

    fn committed(
        &self,
        index: usize,
        slot: usize,
        session: &str,
        keys: &[Key],
        maybe: bool,
    ) -> Committed {
        let durability = self.clients.get(index).map(|client| client.habits.durability);
        Committed {
            is_refused: self.server.has_rule && keys.iter().any(is_refused),
            behind: self.count_at_server(index, slot, session),
            maybe,
            is_decided: false,
            written: !maybe && durability != Some(Durability::Buffered),
        }
    }
}

fn has_not_happened(error: &CommitError) -> bool {
    matches!(error, CommitError::Materialize { .. } | CommitError::Closed)
}

/// What is undone is restored, if the disk lets the log be read.
fn check_undone(
    open: &dyn Opened,
    before: Result<(Vec<EncodedEvent>, Vec<SeqNum>), String>,
    keys: &[Key],
) -> Result<(), String> {
    let checked = before
        .and_then(|(events, quarantined)| undo::check(&events, &quarantined, keys, &open.items()?));
    checked.or_else(|what| if is_disk(&what) { Ok(()) } else { Err(what) })
}
