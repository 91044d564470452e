//! The steps that this session can undo and redo.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::event::{CommitId, EncodedEvent, UndoChange, UndoNotes, UndoPlace, UndoStep, Way};
use crate::live::{Signal, signal};
use crate::store::error::ConfirmError;
use crate::store::receipt::Outcome;

/// The most steps that can be undone; the oldest go first.
pub(in crate::store) const MAX_STEPS: usize = 100;

/// The steps that this session can undo and redo.
#[derive(Debug)]
pub(in crate::store) struct UndoStack {
    window_id: Arc<str>,
    undo: BTreeMap<u64, Step>,
    redo: BTreeMap<u64, Step>,
    groups: Arc<Groups>,
    available: Signal<Available>,
    /// Whether the log has these steps.
    is_stored: bool,
    /// Whether the leader is sent what changes, where this session follows one.
    is_sent: bool,
}

/// A step, and what became of its commits since the store was opened.
#[derive(Debug, Clone, Default)]
struct Step {
    recorded: UndoStep,
    outcomes: Vec<Arc<Outcome>>,
    /// The group that its commits belong to.
    group: Option<u64>,
}

/// Whether there is something to undo and to redo.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::store) struct Available {
    pub(in crate::store) undo: bool,
    pub(in crate::store) redo: bool,
}

/// The groups that the app has begun.
#[derive(Debug, Default)]
pub(in crate::store) struct Groups {
    /// The number of groups that are open, one within the other.
    open: AtomicU64,
    /// The number of the outermost one.
    number: AtomicU64,
}

/// A commit that can be undone, as it was recorded while it was applied.
#[derive(Debug)]
pub(in crate::store) struct Recorded {
    pub(in crate::store) step: UndoStep,
    /// Whether it goes on with the last step: it is of the same group.
    pub(in crate::store) joins: bool,
}

impl Groups {
    pub(super) fn begin(&self) {
        if self.open.fetch_add(1, Ordering::AcqRel) == 0 {
            self.number.fetch_add(1, Ordering::AcqRel);
        }
    }

    pub(super) fn end(&self) {
        self.open.fetch_sub(1, Ordering::AcqRel);
    }

    fn current(&self) -> Option<u64> {
        (self.open.load(Ordering::Acquire) > 0).then(|| self.number.load(Ordering::Acquire))
    }
}

impl UndoStack {
    /// The steps that a log has of the window, or none.
    pub(in crate::store) fn new(window_id: Arc<str>, steps: Option<Vec<UndoChange>>) -> Self {
        let is_stored = steps.is_some();
        let mut stack = Self {
            window_id,
            undo: BTreeMap::new(),
            redo: BTreeMap::new(),
            groups: Arc::default(),
            available: signal(Available::default()),
            is_stored,
            is_sent: false,
        };
        stack.apply(steps.into_iter().flatten());
        stack
    }

    /// The steps that the leader has of the window. `None` if it stores none for this session.
    pub(in crate::store) fn of_session(
        window_id: Arc<str>,
        steps: Option<Vec<UndoChange>>,
    ) -> Self {
        let is_sent = steps.is_some();
        Self { is_sent, is_stored: false, ..Self::new(window_id, steps) }
    }

    pub(super) fn groups(&self) -> Arc<Groups> {
        Arc::clone(&self.groups)
    }

    pub(super) fn available(&self) -> Signal<Available> {
        self.available.clone()
    }

    /// The step that goes on as long as its group is open.
    pub(super) fn open_step(&self) -> Option<&UndoStep> {
        let group = self.groups.current()?;
        let (_, last) = self.undo.last_key_value()?;
        (last.group == Some(group)).then_some(&last.recorded)
    }

    /// The step that comes next.
    pub(super) fn next(&self, way: Way) -> Option<(UndoPlace, &UndoStep)> {
        let (&number, step) = self.steps(way).last_key_value()?;
        Some((UndoPlace { way, number }, &step.recorded))
    }

    /// Why a commit of the step was not done for good, if that is known.
    pub(super) fn failure(&self, place: UndoPlace) -> Option<ConfirmError> {
        self.steps(place.way).get(&place.number)?.outcomes.iter().find_map(|o| o.failure())
    }

    fn steps(&self, way: Way) -> &BTreeMap<u64, Step> {
        match way {
            Way::Undo => &self.undo,
            Way::Redo => &self.redo,
        }
    }

    fn steps_mut(&mut self, way: Way) -> &mut BTreeMap<u64, Step> {
        match way {
            Way::Undo => &mut self.undo,
            Way::Redo => &mut self.redo,
        }
    }

    /// What changes when a commit is done: an ordinary one, or one that undoes or redoes the next step.
    pub(in crate::store) fn plan(
        &self,
        done: Option<Way>,
        recorded: Option<Recorded>,
    ) -> Vec<UndoChange> {
        let mut changes = Vec::new();
        if let Some(way) = done
            && let Some((place, _)) = self.next(way)
        {
            changes.push(UndoChange::Remove(place));
        }
        let Some(Recorded { step, joins }) = recorded else { return changes };
        let onto = if done == Some(Way::Undo) { Way::Redo } else { Way::Undo };
        let steps = self.steps(onto);
        let last = steps.last_key_value().map(|(&number, _)| number);
        let number = if joins { last.unwrap_or_default() } else { last.map_or(0, |n| n + 1) };
        if !joins && steps.len() >= MAX_STEPS {
            let oldest = steps.first_key_value().map(|(&number, _)| number);
            let remove = oldest.map(|number| UndoChange::Remove(UndoPlace { way: onto, number }));
            changes.extend(remove);
        }
        changes.push(UndoChange::Put(UndoPlace { way: onto, number }, step));
        if done.is_none() && !self.redo.is_empty() {
            changes.push(UndoChange::Clear(Way::Redo));
        }
        changes
    }

    /// What the leader has to note when these changes are made. `None` if that is nothing.
    pub(super) fn message(&self, changes: &[UndoChange]) -> Option<UndoNotes> {
        let has_some = self.is_sent && !changes.is_empty();
        let window_id = || Arc::clone(&self.window_id);
        has_some.then(|| UndoNotes { window_id: window_id(), changes: changes.to_vec() })
    }

    /// What the log has to note when these changes are made: all steps, if it does not have them. `None` if
    /// that is nothing.
    pub(super) fn notes(&self, changes: &[UndoChange]) -> Option<UndoNotes> {
        let has_all = self.is_stored || self.is_empty();
        if changes.is_empty() && has_all {
            return None;
        }
        let window_id = Arc::clone(&self.window_id);
        let mut all = if self.is_stored { Vec::new() } else { self.all() };
        all.extend(changes.iter().cloned());
        Some(UndoNotes { window_id, changes: all })
    }

    /// The changes that make what there is.
    pub(super) fn all(&self) -> Vec<UndoChange> {
        let mut all = Vec::from([Way::Undo, Way::Redo].map(UndoChange::Clear));
        for way in [Way::Undo, Way::Redo] {
            all.extend(self.steps(way).iter().map(|(&number, step)| {
                UndoChange::Put(UndoPlace { way, number }, step.recorded.clone())
            }));
        }
        all
    }

    /// Makes the changes, which the log has by now, or will never have.
    pub(in crate::store) fn apply(&mut self, changes: impl IntoIterator<Item = UndoChange>) {
        for change in changes {
            match change {
                UndoChange::Put(UndoPlace { way, number }, recorded) => {
                    let step = self.steps_mut(way).entry(number).or_default();
                    step.recorded = recorded;
                }
                UndoChange::Remove(UndoPlace { way, number }) => {
                    self.steps_mut(way).remove(&number);
                }
                UndoChange::Clear(way) => self.steps_mut(way).clear(),
            }
        }
        let Self { undo, redo, .. } = self;
        let available = Available { undo: !undo.is_empty(), redo: !redo.is_empty() };
        self.available.set_in_lock(available);
    }

    /// Notes whether the leader stores the steps of this session.
    pub(super) fn note_sent(&mut self, is_sent: bool) {
        self.is_sent = is_sent;
    }

    /// Notes whether the log has the steps.
    pub(in crate::store) fn note_stored(&mut self, is_stored: bool) {
        self.is_stored = is_stored;
    }

    /// Notes who says what becomes of the commit that was recorded last, an ordinary one or one that undoes
    /// or redoes.
    pub(in crate::store) fn note_commit(
        &mut self,
        done: Option<Way>,
        outcome: Option<&Arc<Outcome>>,
    ) {
        let group = self.groups.current().filter(|_| done.is_none());
        let onto = if done == Some(Way::Undo) { Way::Redo } else { Way::Undo };
        if let Some(mut last) = self.steps_mut(onto).last_entry() {
            let step = last.get_mut();
            step.group = group;
            step.outcomes.extend(outcome.cloned());
        }
    }

    /// The places of the pending commits that are of a step: for each the commit's number, the step's place, and
    /// the number of the commit in it. The latest first.
    pub(super) fn pending<'e>(
        &self,
        commits: impl DoubleEndedIterator<Item = (usize, &'e [EncodedEvent])>,
    ) -> Vec<(usize, UndoPlace, usize)> {
        let ways = [Way::Undo, Way::Redo].into_iter().flat_map(|way| {
            let steps = self.steps(way).iter().rev();
            steps.map(move |(&number, step)| (UndoPlace { way, number }, &step.recorded))
        });
        let mut wanted: Vec<_> = ways
            .flat_map(|(place, step)| {
                let commits = step.commits.iter().enumerate().rev();
                commits.map(move |(n, commit)| (place, n, &commit.id))
            })
            .collect();
        let mut found = Vec::new();
        for (at, commit) in commits.rev() {
            if wanted.is_empty() {
                break;
            }
            let this = CommitId::of(commit);
            // Commits of the same content are in the same order here and there.
            if let Some(index) = wanted.iter().position(|(_, _, id)| id.is(&this)) {
                let (place, n, _) = wanted.remove(index);
                found.push((at, place, n));
            }
        }
        found
    }

    pub(super) fn is_empty(&self) -> bool {
        self.undo.is_empty() && self.redo.is_empty()
    }

    pub(super) fn step(&self, place: UndoPlace) -> Option<&UndoStep> {
        self.steps(place.way).get(&place.number).map(|step| &step.recorded)
    }
}
