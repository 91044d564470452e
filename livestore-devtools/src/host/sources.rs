//! The states that calls are about: the present one, those of the past, and forks.

use std::collections::{HashMap, VecDeque};
#[cfg(not(target_family = "wasm"))]
use std::sync::atomic::AtomicBool;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use livestore::SeqNum;
use livestore::state::StateView;

use super::{Refused, Target, lock, seq_of};
use crate::protocol::{ForkInfo, RefusalCode, Source};

/// The number of states that are kept for the next call.
const KEPT: usize = 4;

/// A state that several calls may want.
pub(super) type SharedState = Arc<Mutex<StateView>>;

/// The states and stores that sources name.
pub(super) struct Sources {
    target: Arc<dyn Target>,
    forks: Mutex<HashMap<u64, Arc<dyn Target>>>,
    next_fork: AtomicU64,
    kept: Mutex<VecDeque<(Key, SharedState)>>,
    /// Whether the checkpoints of the past are made, or being made.
    #[cfg(not(target_family = "wasm"))]
    is_prepared: AtomicBool,
}

/// A fork, or the store itself, and the last event.
type Key = (Option<u64>, SeqNum);

impl Sources {
    pub(super) fn new(target: Arc<dyn Target>) -> Self {
        Self {
            target,
            forks: Mutex::default(),
            next_fork: AtomicU64::new(1),
            kept: Mutex::default(),
            #[cfg(not(target_family = "wasm"))]
            is_prepared: AtomicBool::new(false),
        }
    }

    /// The state of a source. Nothing that is done with it changes or blocks the store.
    pub(super) fn state(&self, source: &Source) -> Result<SharedState, Refused> {
        let fork = match source {
            Source::Fork(fork) => Some(*fork),
            Source::Now | Source::At(_) => None,
        };
        let target = self.target(fork)?;
        let (seq, is_past) = match source {
            Source::At(seq) => (seq_of(seq)?, true),
            Source::Now | Source::Fork(_) => (target.head()?, false),
        };
        let find = |kept: &VecDeque<(Key, SharedState)>| {
            let found = kept.iter().find(|(key, _)| *key == (fork, seq));
            found.map(|(_, state)| Arc::clone(state))
        };
        if let Some(state) = find(&lock(&self.kept)) {
            return Ok(state);
        }
        let state = if is_past {
            #[cfg(not(target_family = "wasm"))]
            self.prepare_past();
            target.state_at(seq)?
        } else {
            target.state()?
        };
        // It may be a moment newer, or as old as the last snapshot.
        let key = (fork, seq);
        let state = Arc::new(Mutex::new(state));
        let mut kept = lock(&self.kept);
        // Present states are many, and each is wanted for a moment.
        kept.retain(|((other, head), _)| *other != fork || is_past || *head >= key.1);
        kept.truncate(KEPT - 1);
        kept.push_front((key, Arc::clone(&state)));
        Ok(state)
    }

    /// The store itself, or a fork.
    pub(super) fn target(&self, fork: Option<u64>) -> Result<Arc<dyn Target>, Refused> {
        let Some(fork) = fork else { return Ok(Arc::clone(&self.target)) };
        let none = || Refused::new(RefusalCode::NotFound, format!("there is no fork {fork}"));
        lock(&self.forks).get(&fork).cloned().ok_or_else(none)
    }

    pub(super) fn fork(&self, at: Option<&str>) -> Result<ForkInfo, Refused> {
        let at = at.map_or_else(|| self.target.head(), seq_of)?;
        let forked: Arc<dyn Target> = self.target.fork(at)?.into();
        let (fork, seq) = (self.next_fork.fetch_add(1, Ordering::Relaxed), forked.head()?);
        lock(&self.forks).insert(fork, forked);
        Ok(ForkInfo { fork, seq: seq.to_string() })
    }

    pub(super) fn drop_fork(&self, fork: u64) -> Result<(), Refused> {
        let dropped = lock(&self.forks).remove(&fork);
        lock(&self.kept).retain(|((other, _), _)| *other != Some(fork));
        let none = || Refused::new(RefusalCode::NotFound, format!("there is no fork {fork}"));
        dropped.map(drop).ok_or_else(none)
    }

    /// Has the checkpoints of the past made, once. In a browser there is no thread for that: they are made
    /// as they are needed.
    #[cfg(not(target_family = "wasm"))]
    fn prepare_past(&self) {
        if self.is_prepared.swap(true, Ordering::AcqRel) {
            return;
        }
        let target = Arc::clone(&self.target);
        let prepare = move || {
            let prepared = target.prepare_past();
            if let Err(Refused(refusal)) = prepared {
                tracing::debug!(reason = refusal.message, "the past is not prepared");
            }
        };
        let thread = std::thread::Builder::new().name("livestore-devtools".to_owned());
        if let Err(error) = thread.spawn(prepare) {
            tracing::debug!(%error, "the past is not prepared");
        }
    }
}
