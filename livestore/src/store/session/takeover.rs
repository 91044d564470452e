//! Taking over: the leader has gone, and this session has the directory's lock.

use std::sync::Arc;

use super::{Follower, Hub};
use crate::edge::DirectoryLock;
use crate::event::{EncodedEvent, SeqNum};
use crate::eventlog::{CommandNotes, Eventlog, EventlogError, FileLog, LogChange};
use crate::live::deliver;
use crate::session::{Command, LeaderOrder, Planned, Reads};
use crate::state::{Decided, Quarantined, ReplayError, Snapshot};
use crate::store::exclusive::ExclusiveGuard;
use crate::store::open::{EVENTLOG, SNAPSHOT, engine};
use crate::store::order::Order;
use crate::store::snapshots::Snapshots;
use crate::store::{Core, Inner};
use crate::sync::merge::{Decisions, SyncState};

impl Follower {
    /// Plans what the order of another leader means here. Reads what was confirmed meanwhile, unless it
    /// was `received`.
    pub(super) fn plan_order(
        &self,
        order: LeaderOrder,
        received: Vec<EncodedEvent>,
    ) -> Result<Planned, EventlogError> {
        let is_continued = self.is_continued_by(&order)?;
        let known = if is_continued { self.state().confirmed_head } else { SeqNum::ROOT };
        let between = match self.log().is_received() {
            true => received,
            false => self.log().read_confirmed(known, order.state.confirmed_head)?,
        };
        Ok(self.mirror().plan_order(order, between, is_continued))
    }

    /// Whether what is confirmed here is the beginning of what is confirmed in an order.
    pub(super) fn is_continued_by(&self, order: &LeaderOrder) -> Result<bool, EventlogError> {
        let last = match self.mirror().last() {
            Some(last) => self.log().confirmed_event(last.seq)?,
            None => None,
        };
        Ok(self.mirror().is_continued_by(order, last.as_ref()))
    }

    /// How this session gets to what was confirmed meanwhile.
    pub(super) fn reads(&self) -> Reads {
        match self.log().is_received() {
            true => Reads::Behind {
                head: self.state().confirmed_head,
                history_id: self.mirror().history_id().to_owned(),
            },
            false => Reads::Files,
        }
    }
}

/// Why a session does not lead.
enum Failure {
    Log(EventlogError),
    /// The state cannot follow the log.
    State(ReplayError),
}

impl From<EventlogError> for Failure {
    fn from(error: EventlogError) -> Self {
        Self::Log(error)
    }
}

impl Inner {
    /// Leads from now on: opens the log, adds the commits that the last leader has not written, and
    /// connects to the backend.
    pub(super) fn lead(self: &Arc<Self>, lock: DirectoryLock) -> Result<(), EventlogError> {
        let Some(setup) = &self.sessions.setup else { return Ok(()) };
        let path = setup.folder.join(EVENTLOG);
        let file = FileLog::open(&path, setup.durability, &self.store_id, crate::ambient::new_id)?;
        if file.store_id() != self.store_id {
            return Err(EventlogError::FileLost { path });
        }
        let mut slot = self.core()?;
        let Some(core) = slot.as_mut() else { return Ok(()) };
        let Some(follower) = core.order.follower_mut() else { return Ok(()) };
        follower.log().check_file()?;
        let is_paused = follower.is_paused();
        let log = Eventlog::new(file);
        let quarantined = match self.catch_up(core, &log, setup.sync.is_some()) {
            Ok(quarantined) => quarantined,
            Err(failure) => return self.not_lead(slot, failure),
        };
        let waiting = match self.take_over(core, &log, is_paused) {
            Ok(waiting) => waiting,
            Err(failure) => {
                let outcome = self.not_lead(slot, failure);
                self.notify_followed(&quarantined);
                return outcome;
            }
        };
        core.lock = Some(Arc::new(lock));
        core.hub = Hub::listen(&setup.folder)
            .inspect_err(|error| tracing::warn!(%error, "no other session can follow this one"))
            .ok();
        let hub = core.hub.clone();
        self.sessions.acks.left(0);
        self.tail.advance(core.confirmed_head());
        drop(slot);
        tracing::info!("this session leads now");
        if let Some(sync) = &self.sync
            && let Err(error) = sync.start(Arc::downgrade(self), &self.store_id, is_paused)
        {
            tracing::error!(%error, "sync cannot be started");
        }
        if let Some(hub) = hub {
            hub.attach(Arc::downgrade(self));
        }
        waiting.into_iter().for_each(|command| self.carry_out(command));
        self.notify_followed(&quarantined);
        Ok(())
    }

    /// If the log fails, the session still follows.
    fn not_lead(
        &self,
        mut slot: ExclusiveGuard<'_, Option<Core>>,
        failure: Failure,
    ) -> Result<(), EventlogError> {
        match failure {
            Failure::Log(error) => Err(error),
            Failure::State(error) => {
                self.fail(&mut slot, &error);
                Ok(())
            }
        }
    }

    fn notify_followed(&self, quarantined: &[Quarantined]) {
        self.notify_quarantined(quarantined);
        self.notify_status();
        deliver();
    }

    /// Follows the log to its end, whether or not this session leads then.
    fn catch_up(
        &self,
        core: &mut Core,
        log: &Eventlog,
        syncs: bool,
    ) -> Result<Vec<Quarantined>, Failure> {
        let head = log.head()?;
        let state = if syncs {
            SyncState::read(log)?.0
        } else {
            SyncState {
                upstream_head: head,
                confirmed_head: head,
                local_head: head,
                ..SyncState::default()
            }
        };
        let history_id = log.fingerprint(SeqNum::ROOT)?.map(|found| found.history_id);
        let history_id = history_id.unwrap_or_default();
        let surplus = log.surplus(&self.session_id)?;
        let order = LeaderOrder { state, syncs, history_id, surplus };
        let Some(follower) = core.order.follower_mut() else { return Ok(Vec::new()) };
        let planned = follower.plan_order(order, Vec::new())?;
        let quarantined = core.follow(planned).map_err(Failure::State)?;
        self.note_followed(core);
        Ok(quarantined)
    }

    /// Returns the commands that no leader has got.
    fn take_over(
        &self,
        core: &mut Core,
        log: &Eventlog,
        is_paused: bool,
    ) -> Result<Vec<Command>, Failure> {
        let Some(setup) = &self.sessions.setup else { return Ok(Vec::new()) };
        let sync = setup.sync.as_ref();
        let Order::Leader(follower) = &core.order else { return Ok(Vec::new()) };
        // The last leader may not have sent all of them.
        core.conflicts.set_in_lock(log.conflicts()?);
        let mut own: Vec<_> = follower.mirror().own().cloned().collect();
        let has_commands = own.iter().any(|event| core.has_command(event));
        let committed = if has_commands {
            core.decide_own(log, &own, sync.is_some())?
        } else {
            let committed = own.clone();
            log.append(&mut own)?;
            committed
        };
        let events = committed.len() as u64;
        let engine = sync.map(|options| engine(log, options, is_paused)).transpose()?;
        let waiting = core.order.follower_mut().map(Follower::take_waiting).unwrap_or_default();
        match engine {
            Some(engine) => {
                core.state.head = engine.state().local_head;
                core.order = Order::Backend(Box::new(engine));
            }
            None => {
                core.order = Order::Own;
                let confirmed = core
                    .state
                    .confirm_pending()
                    .and_then(|()| core.own_commits.confirm_all(committed.iter(), &core.state));
                confirmed.map_err(|error| Failure::State(error.into()))?;
            }
        }
        core.log = log.clone();
        core.rebases += 1;
        core.store_undo();
        core.find_pending_rows().map_err(Failure::State)?;
        let snapshot = Snapshot { path: setup.folder.join(SNAPSHOT), log: log.clone() };
        let snapshots = Snapshots::new(snapshot, self.schema, sync.is_some(), None);
        snapshots.after_commit(events);
        core.snapshots = Some(snapshots);
        Ok(waiting)
    }
}

impl Core {
    /// Has the commands of this session's own commits decide again, which no leader has done, and adds the
    /// commits to the log. Returns their events. If they cannot be written, the session still follows.
    fn decide_own(
        &mut self,
        log: &Eventlog,
        own: &[EncodedEvent],
        syncs: bool,
    ) -> Result<Vec<EncodedEvent>, Failure> {
        let Order::Leader(follower) = &self.order else { return Ok(Vec::new()) };
        let order = follower.state();
        let (confirmed, pending) = (order.confirmed_head, Vec::from(order.pending.clone()));
        let leaders = pending.len() - own.len();
        let decided = self.decide_behind(&pending, leaders, syncs);
        let (decided, is_broken) = decided.map_err(Failure::State)?;
        let Decided { events, decisions, conflicts } = decided;
        let decisions = Decisions { commits: decisions, ..Decisions::default() };
        let surplus = decisions.all_surplus();
        let notes = CommandNotes { conflicts, surplus, ..CommandNotes::default() };
        let written = log.change(&LogChange {
            confirmed: Vec::new(),
            remove_from: None,
            append: events.iter().collect(),
            upstream: None,
            new_history: None,
            // Without a backend, all of them are confirmed.
            confirmed_head: if syncs { confirmed } else { SeqNum::new(u64::MAX) },
            commands: notes,
        });
        if let Err(error) = written {
            let undone =
                self.state.rollback_pending().map_err(|error| Failure::State(error.into()))?;
            self.apply(undone, confirmed, &[], &pending).map_err(Failure::State)?;
            return Err(Failure::Log(error));
        }
        self.own_commits.decide(&decisions.commits, own.len());
        self.conflicts.set_in_lock(log.conflicts()?);
        if is_broken {
            self.log = log.clone();
            self.restore().map_err(Failure::State)?;
        }
        Ok(events)
    }
}
