//! Pending commits on a new base: plain ones are applied as they are, commands decide again.

use std::sync::Arc;

use super::{Replay, ReplayError};
use crate::event::{Conflict, EncodedEvent, SeqNum, WithdrawnEvent, commits};
use crate::schema::BatchEntry;
use crate::state::execute::Again;
use crate::state::{ApplyError, State};
use crate::sync::merge::Decision;

/// Whether a commit of these events can be pushed; if not, why.
pub(crate) type CheckCommit<'a> = &'a dyn Fn(&[EncodedEvent]) -> Result<(), String>;

/// Pending commits, once their commands have decided again.
#[derive(Debug, Default)]
pub(crate) struct Decided {
    /// All events, with the numbers that they have now.
    pub(crate) events: Vec<EncodedEvent>,
    /// The commits that have other events than before.
    pub(crate) decisions: Vec<Decision>,
    /// The commands that failed.
    pub(crate) conflicts: Vec<Conflict>,
}

/// Where the next commit comes, and what came before it.
struct Queue<'a> {
    head: SeqNum,
    /// The last confirmed event.
    confirmed: SeqNum,
    schema_hash: i64,
    check: CheckCommit<'a>,
    /// The number of events that each session had before the next commit.
    behind: Vec<(Arc<str>, usize)>,
    decided: Decided,
}

impl Replay<'_> {
    /// Applies pending commits, the first of which comes behind `head`, which may be pending, too. Each command among them decides again
    /// on the state that what comes before it has made: what it decides takes the place of its events.
    ///
    /// One after the other, as they depend on each other; but under one savepoint, as nearly always all of
    /// them apply. If not, each gets its own.
    pub(crate) fn decide(
        &mut self,
        state: &mut State,
        pending: &[EncodedEvent],
        (confirmed, head): (SeqNum, SeqNum),
        schema_hash: i64,
        check: CheckCommit<'_>,
    ) -> Result<Decided, ReplayError> {
        let queue = || Queue {
            head,
            confirmed,
            schema_hash,
            check,
            behind: Vec::new(),
            decided: Decided::default(),
        };
        let continues = self.continues_applied(state, pending)?;
        let savepoint = state.savepoint()?;
        let decided = match Self::decide_at_once(state, pending, queue())? {
            Some(decided) => {
                savepoint.release()?;
                decided
            }
            None => {
                savepoint.rollback()?;
                self.decide_each(state, pending, queue(), continues)?
            }
        };
        state.head = decided.events.last().map_or(head, |event| event.seq);
        Ok(decided)
    }

    /// `None` if an event does not apply: it needs a rollback.
    fn decide_at_once(
        state: &State,
        pending: &[EncodedEvent],
        mut queue: Queue<'_>,
    ) -> Result<Option<Decided>, ReplayError> {
        let mut from = 0;
        for commit in commits(pending) {
            queue.decide(state, commit);
            queue.advance(commit);
            let mut writer = state.writer();
            for event in queue.decided.events.get(from..).unwrap_or_default() {
                let Some(set) = state.schema.event_set(&event.name) else { return Ok(None) };
                match state.apply(event, set, &mut writer) {
                    Ok(()) => {}
                    Err(ApplyError::Event(_)) => return Ok(None),
                    Err(ApplyError::State(error)) => return Err(error.into()),
                }
            }
            from = queue.decided.events.len();
        }
        Ok(Some(queue.decided))
    }

    /// A plain commit that does not apply is quarantined. So is that of a command which cannot be executed
    /// again; one that can, has failed.
    fn decide_each(
        &mut self,
        state: &State,
        pending: &[EncodedEvent],
        mut queue: Queue<'_>,
        continues: bool,
    ) -> Result<Decided, ReplayError> {
        for (n, commit) in commits(pending).enumerate() {
            let before = queue.mark();
            let is_command = queue.decide(state, commit);
            let events = queue.decided.events.get(before.events..).unwrap_or_default().to_vec();
            if is_command {
                if let Some(failure) = self.try_apply(state, events.iter())? {
                    let name = &failure.event.name;
                    let error = format!("its event {name} cannot be applied: {}", failure.error);
                    queue.reset(&before);
                    queue.withdraw(commit, error);
                }
            } else {
                let is_whole = self.commit(state, &events)?;
                self.is_broken |= n == 0 && continues && !is_whole;
            }
            queue.advance(commit);
        }
        Ok(queue.decided)
    }
}

/// How far a queue was.
struct Mark {
    head: SeqNum,
    events: usize,
    decisions: usize,
    conflicts: usize,
}

impl Queue<'_> {
    /// Adds the events of the next commit, as they are decided on this state. Returns whether a command has
    /// decided.
    fn decide(&mut self, state: &State, commit: &[EncodedEvent]) -> bool {
        let again = state.execute_again(commit);
        let is_command = !matches!(again, Again::Events);
        match again {
            Again::Events | Again::Same => self.push(commit.iter().cloned()),
            Again::Failed(error) => self.withdraw(commit, error),
            Again::Other(entries) => {
                let events = events_of(commit, entries, self.schema_hash);
                match (self.check)(&events) {
                    Ok(()) => {
                        self.note(commit, events.len(), None);
                        self.push(events.into_iter());
                    }
                    Err(error) => self.withdraw(commit, error),
                }
            }
        }
        is_command
    }

    /// Goes on behind a commit.
    fn advance(&mut self, commit: &[EncodedEvent]) {
        let Some(first) = commit.first() else { return };
        match self.behind.iter_mut().find(|(session, _)| *session == first.session_id) {
            Some((_, events)) => *events += commit.len(),
            None => self.behind.push((Arc::clone(&first.session_id), commit.len())),
        }
    }

    fn mark(&self) -> Mark {
        let Decided { events, decisions, conflicts } = &self.decided;
        let (events, decisions) = (events.len(), decisions.len());
        Mark { head: self.head, events, decisions, conflicts: conflicts.len() }
    }

    /// Forgets what was decided since.
    fn reset(&mut self, mark: &Mark) {
        self.head = mark.head;
        self.decided.events.truncate(mark.events);
        self.decided.decisions.truncate(mark.decisions);
        self.decided.conflicts.truncate(mark.conflicts);
    }

    fn push(&mut self, events: impl Iterator<Item = EncodedEvent>) {
        let head = &mut self.head;
        self.decided.events.extend(events.map(|event| {
            let (next, parent) = head.next(event.is_client_only());
            *head = SeqNum { generation: event.seq.generation, ..next };
            EncodedEvent { seq: *head, parent, ..event }
        }));
    }

    fn withdraw(&mut self, commit: &[EncodedEvent], error: String) {
        let Some(command) = commit.first().and_then(|first| first.command.as_ref()) else { return };
        tracing::warn!(
            command = command.name,
            error,
            "a command has failed: its events are withdrawn"
        );
        let withdrawn = commit.iter().map(|event| WithdrawnEvent {
            name: event.name.clone().into_owned(),
            args: event.args.clone(),
        });
        let conflict = Conflict::new(command, withdrawn, error.clone(), self.confirmed);
        self.decided.conflicts.push(conflict);
        self.note(commit, 0, Some(error));
    }

    /// Notes that a commit has other events now.
    fn note(&mut self, commit: &[EncodedEvent], now: usize, failure: Option<String>) {
        let Some(first) = commit.first() else { return };
        let session_id = Arc::clone(&first.session_id);
        let known = self.behind.iter().find(|(session, _)| *session == session_id);
        let behind = known.map_or(0, |(_, events)| *events);
        let decision = Decision { session_id, behind, was: commit.len(), now, failure };
        self.decided.decisions.push(decision);
    }
}

/// The events of a commit that a command has decided otherwise.
pub(crate) fn events_of(
    commit: &[EncodedEvent],
    entries: Vec<BatchEntry>,
    schema_hash: i64,
) -> Vec<EncodedEvent> {
    let Some(first) = commit.first() else { return Vec::new() };
    let event = |(n, BatchEntry { def, args, .. }): (usize, BatchEntry)| EncodedEvent {
        // Its number is given later; what counts here is whether it is client-only.
        seq: SeqNum { client: u64::from(def.is_client_only()), ..first.seq },
        parent: first.parent,
        name: def.name().into(),
        args,
        client_id: Arc::clone(&first.client_id),
        session_id: Arc::clone(&first.session_id),
        schema_hash,
        sync_metadata: None,
        continues: n > 0,
        command: first.command.clone().filter(|_| n == 0),
    };
    entries.into_iter().enumerate().map(event).collect()
}
