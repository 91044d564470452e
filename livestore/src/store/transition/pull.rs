//! A pull: the backend's order has grown.
//!
//! Pending events get their place in it, and events of others come behind them. Where they come
//! before pending ones, it is a [rebase](super::rebase); where confirmed events leave the log, the
//! store [starts over](super::start_over).

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::ambient::new_id;
use crate::error::ErrorChain;
use crate::event::SeqNum;
use crate::eventlog::{CommandNotes, EventlogError, LogChange, Upstream, is_after};
use crate::session::{Change, FromLeader};
use crate::sqlite::Change as RowChange;
use crate::state::{Quarantined, ReplayError, State};
use crate::store::tools::Activity;
use crate::store::{Core, Inner};
use crate::sync::SyncStatus;
use crate::sync::engine::{Effect, Engine, Input, Step, Transition};
use crate::sync::merge::{Confirmed, Merge};

/// The outcome of an input to the sync engine, for the driver and the app.
#[derive(Debug)]
pub(in crate::store) struct Turn {
    /// To carry out on the connection, in order.
    pub(in crate::store) effects: Vec<Effect>,
    /// When the engine wants to be called if nothing happens.
    pub(in crate::store) deadline: Option<Duration>,
    /// Events of others came before pending ones.
    pub(in crate::store) is_rebase: bool,
    /// Events that could not be applied.
    pub(in crate::store) quarantined: Vec<Quarantined>,
    /// For observers.
    pub(in crate::store) activities: Vec<Activity>,
    /// The spans of commits of others that were applied.
    pub(in crate::store) applied: Vec<tracing::Span>,
    /// The status now.
    pub(in crate::store) status: SyncStatus,
}

impl Inner {
    /// Gives the engine an input, and makes the transition that it plans. `None` if the store is
    /// closed.
    pub(in crate::store) fn step(&self, input: Input, now: Duration) -> Option<Turn> {
        if let (Input::Committed, Some(sync)) = (&input, &self.sync) {
            sync.is_woken.store(false, Ordering::Release);
        }
        let mut slot = self.core().ok()?;
        let core = slot.as_mut()?;
        let published = match core.order.engine_mut()?.handle(input, now) {
            Step::Effects(effects) => Remaining { effects, ..Remaining::default() },
            Step::Write(transition) => match core.transition_from_image(transition, now) {
                Ok(published) => published,
                Err(error) => {
                    self.fail(&mut slot, &error);
                    return None;
                }
            },
        };
        self.tail.advance(core.confirmed_head());
        core.note_next_attempt(now);
        let Remaining { effects, is_rebase, quarantined } = published;
        core.notify_network();
        let deadline = core.order.engine()?.deadline();
        let activities = std::mem::take(&mut core.activities);
        let applied = core.applied.take();
        let status = core.sync_status();
        Some(Turn { effects, deadline, is_rebase, quarantined, activities, applied, status })
    }
}

/// The work that remains once a transition is published.
#[derive(Debug, Default)]
struct Remaining {
    effects: Vec<Effect>,
    is_rebase: bool,
    quarantined: Vec<Quarantined>,
}

/// The engine's plan, and what has to be there before it is written.
#[must_use = "a plan has no effect until it is written and published"]
struct Plan {
    transition: Transition,
    prepared: Prepared,
    /// The new id of the log's history, if confirmed events leave it.
    new_history: Option<String>,
    /// What it means for commands.
    notes: CommandNotes,
}

/// The part of publishing that is done before the log is written.
pub(in crate::store) enum Prepared {
    Nothing,
    /// The state to start over with, as confirmed events leave the log.
    Fresh(State),
    /// The state, made anew: the pending events did not lie above a savepoint.
    Remade(State),
    /// The state has the merge already, as its commands have decided on it.
    Applied {
        /// The changes when the pending events were rolled back.
        undone: Vec<RowChange>,
        /// All changes.
        changes: Vec<RowChange>,
        quarantined: Vec<Quarantined>,
    },
}

/// Why there is no plan.
pub(super) enum PlanError {
    /// There is no room for it, or the log cannot be read. Nothing has happened.
    Impossible(ReplayError),
    /// Commands have decided on the state, and it could not be made what it was.
    StateLost(ReplayError),
}

impl<E: Into<ReplayError>> From<E> for PlanError {
    fn from(error: E) -> Self {
        Self::Impossible(error.into())
    }
}

/// A plan that is in the log, but not published yet.
#[must_use = "a written transition has to be published"]
struct Written(Plan);

impl Core {
    /// Does a [transition](Self::transition), and notes if it gives up the image that the store was opened
    /// with.
    fn transition_from_image(
        &mut self,
        transition: Transition,
        now: Duration,
    ) -> Result<Remaining, ReplayError> {
        let is_unproven = self.order.engine().is_some_and(Engine::is_unproven);
        let gives_up = is_unproven && transition.backend_id.is_none();
        let published = self.transition(transition, now)?;
        if gives_up {
            let reason = "the backend has other events than those that the image was made of";
            tracing::warn!(reason, "the image is given up: the state is made of all events");
            self.no_image = Some(reason.to_owned());
        }
        Ok(published)
    }

    /// Plans, writes and publishes. An error means that the state cannot follow the log.
    fn transition(
        &mut self,
        transition: Transition,
        now: Duration,
    ) -> Result<Remaining, ReplayError> {
        let plan = match self.plan(transition) {
            Ok(plan) => plan,
            Err(PlanError::Impossible(ReplayError::Eventlog(error))) => {
                return Ok(self.write_failed(&error, now));
            }
            Err(PlanError::Impossible(error)) => return Ok(self.state_full(&error)),
            Err(PlanError::StateLost(error)) => return Err(error),
        };
        match self.write(&plan) {
            Ok(()) => Written(plan).publish_or_take_back(self, now),
            Err(error) => {
                if let Prepared::Applied { undone, .. } = plan.prepared {
                    self.undo_decision(undone)?;
                }
                Ok(self.write_failed(&error, now))
            }
        }
    }

    fn plan(&mut self, mut transition: Transition) -> Result<Plan, PlanError> {
        let confirmed = self.confirmed_head();
        let rebase = transition.merge.rebase.as_ref();
        let rewrite = rebase.filter(|rebase| !is_after(rebase.from, confirmed));
        let new_history = rewrite.map(|_| new_id());
        let (prepared, notes) = if self.must_decide(&transition.merge) {
            self.decide(&mut transition.merge, new_history.is_some())?
        } else {
            let merge = &transition.merge;
            let fresh = rewrite.map(|rebase| self.plan_start_over(merge, rebase)).transpose()?;
            (fresh.map_or(Prepared::Nothing, Prepared::Fresh), CommandNotes::default())
        };
        Ok(Plan { transition, prepared, new_history, notes })
    }

    fn write(&self, plan: &Plan) -> Result<(), EventlogError> {
        let Plan { transition, new_history, notes, .. } = plan;
        let merge = &transition.merge;
        let pending = merge.rebase.iter().flat_map(|rebase| &rebase.pending);
        self.log.change(&LogChange {
            confirmed: merge.confirmed.iter().filter_map(Confirmed::metadata).collect(),
            remove_from: merge.rebase.as_ref().map(|rebase| rebase.from),
            append: merge.new.iter().chain(pending).collect(),
            upstream: Some(&Upstream {
                backend_id: transition.backend_id.clone(),
                head: merge.heads.upstream.global,
                generation: merge.heads.local.generation,
            }),
            new_history: new_history.clone(),
            confirmed_head: merge.heads.confirmed,
            commands: notes.clone(),
        })
    }

    /// The engine drops its plan, and tries again later.
    fn write_failed(&mut self, error: &EventlogError, now: Duration) -> Remaining {
        let reason = ErrorChain::new(error).to_string();
        tracing::warn!(reason, "events of the sync backend could not be written");
        let effects = self.order.engine_mut().map(|engine| engine.write_failed(reason, now));
        Remaining { effects: effects.unwrap_or_default(), ..Remaining::default() }
    }
}

impl Written {
    /// Publishes the transition. If the state has no room for it, takes it out of the log again, and
    /// stops sync.
    fn publish_or_take_back(
        self,
        core: &mut Core,
        now: Duration,
    ) -> Result<Remaining, ReplayError> {
        let rewrites_history = self.0.new_history.is_some();
        match self.publish(core, now) {
            // What was confirmed before is no longer in the log.
            Err(error) if error.is_environmental() && !rewrites_history => core.take_back(&error),
            done => done,
        }
    }

    fn publish(self, core: &mut Core, now: Duration) -> Result<Remaining, ReplayError> {
        let Plan { transition, prepared, new_history, notes } = self.0;
        let merge = &transition.merge;
        warn_of_rewritten(merge);
        let quarantined = core.publish_merge(merge, prepared)?;
        core.note_conflicts(&notes);
        let is_rebase = merge.rebase.is_some();
        core.broadcast(|| {
            let change = Change::Merged { merge: merge.clone(), rewrites_history: new_history };
            FromLeader::Changed(change)
        });
        let publish = |engine: &mut Engine| engine.publish(transition, now);
        let effects = core.order.engine_mut().map(publish).unwrap_or_default();
        Ok(Remaining { effects, is_rebase, quarantined })
    }
}

/// A backend in JavaScript rounds integers past 2^53. What all others have is adopted, but not silently.
fn warn_of_rewritten(merge: &Merge) {
    for event in merge.new.iter().filter(|event| merge.rewritten.contains(&event.seq)) {
        tracing::warn!(
            seq = %event.seq,
            name = %event.name,
            "the backend has changed numbers of this event, and all clients have its version: \
             use text for integers past 2^53"
        );
    }
}

impl Core {
    /// Stops sync, because the state has no room for what is not in the log.
    fn state_full(&mut self, error: &ReplayError) -> Remaining {
        let reason = ErrorChain::new(error).to_string();
        tracing::error!(reason, "the state has no room for the backend's events: sync stops");
        let effects = self.order.engine_mut().map(|engine| engine.state_full(reason));
        Remaining { effects: effects.unwrap_or_default(), ..Remaining::default() }
    }

    /// Brings the log and the state back to what the engine, which publishes last, has seen so far.
    fn take_back(&mut self, error: &ReplayError) -> Result<Remaining, ReplayError> {
        let Some(engine) = self.order.engine() else { return Ok(Remaining::default()) };
        let state = engine.state();
        let confirmed = state.confirmed_head;
        let back = LogChange {
            confirmed: Vec::new(),
            remove_from: Some(SeqNum { client: confirmed.client + 1, ..confirmed }),
            append: state.pending.iter().collect(),
            upstream: Some(&Upstream {
                backend_id: engine.backend_id().map(str::to_owned),
                head: state.upstream_head.global,
                generation: state.local_head.generation,
            }),
            new_history: None,
            confirmed_head: confirmed,
            commands: CommandNotes::default(),
        };
        let head = state.local_head;
        self.log.change(&back)?;
        self.rebases += 1;
        self.rebuild_state(confirmed, head)?;
        self.state.head = head;
        Ok(self.state_full(error))
    }

    /// Makes the state what the log is after a merge.
    pub(in crate::store) fn publish_merge(
        &mut self,
        merge: &Merge,
        prepared: Prepared,
    ) -> Result<Vec<Quarantined>, ReplayError> {
        let rewrites_history = matches!(prepared, Prepared::Fresh(_));
        let observed = self.observe_merge(merge);
        self.trace_merge(merge);
        let quarantined = match (&merge.rebase, prepared) {
            (Some(rebase), Prepared::Fresh(fresh)) => self.start_over(fresh, merge, rebase)?,
            (Some(rebase), Prepared::Remade(state)) => {
                self.state = state;
                self.restart_live()?;
                self.quarantined_from(merge, rebase)?
            }
            (_, Prepared::Applied { changes, quarantined, .. }) => {
                self.update_live(&RowChange::net(changes));
                quarantined
            }
            (Some(rebase), Prepared::Nothing) => self.rebase(merge, rebase)?,
            (None, _) => self.advance(merge)?,
        };
        self.state.head = merge.heads.local;
        if rewrites_history || !quarantined.is_empty() {
            self.refused = self.state.refused()?;
        }
        self.histories += u64::from(rewrites_history);
        self.rebases += u64::from(merge.rebase.is_some());
        let pending = self.order.state().into_iter().flat_map(|state| &state.pending);
        self.own_commits.merged(pending, merge, &self.state)?;
        self.note_merge(observed, merge, &quarantined);
        match &merge.rebase {
            Some(rebase) => self.retrace(&rebase.pending, merge.heads.confirmed)?,
            None => self.confirm_pending_rows(merge.heads.confirmed),
        }
        self.state.head = merge.heads.local;
        self.log_version.advance();
        Ok(quarantined)
    }

    /// Applies the new events; the confirmed ones are part of the state already. As long as some of
    /// the store's events are pending, there are no new ones, and the state stays as it is.
    fn advance(&mut self, merge: &Merge) -> Result<Vec<Quarantined>, ReplayError> {
        let pending = self.order.state().map_or(0, |state| state.pending.len());
        if pending > merge.confirmed.len() {
            return Ok(Vec::new());
        }
        self.state.confirm_pending()?;
        self.apply(Vec::new(), self.state.head, &merge.new, &[])
    }
}
