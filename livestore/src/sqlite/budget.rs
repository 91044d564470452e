//! How much the queries of a command may take.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use rusqlite::Connection;

use super::SqliteError;
use crate::edge::Stopwatch;

/// The number of instructions between two looks at the budget of queries.
const STEP: i32 = 100_000;

/// No budget.
const UNLIMITED: i64 = -1;

/// The number of queries between two looks at the clock, which takes a part of the time of a short one.
const QUERIES_PER_LOOK: u32 = 16;

/// How much queries may take until they fail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) instructions: u64,
    pub(crate) time: Duration,
}

/// What is left of the limits, while there are any.
#[derive(Debug)]
pub(super) struct Budget {
    /// The instructions that are left, in steps.
    steps: Arc<AtomicI64>,
    time: Cell<Duration>,
    /// The number of queries so far.
    queries: Cell<u32>,
    watch: RefCell<Option<Stopwatch>>,
    /// Whose queries they are.
    name: Cell<&'static str>,
    /// Whether the log says already that nothing is left.
    is_logged: Cell<bool>,
}

impl Budget {
    pub(super) fn unlimited() -> Self {
        Self {
            steps: Arc::new(AtomicI64::new(UNLIMITED)),
            time: Cell::default(),
            queries: Cell::default(),
            watch: RefCell::default(),
            name: Cell::default(),
            is_logged: Cell::default(),
        }
    }

    /// Calls `run`, whose queries fail once they are beyond the limits. Returns whether they are.
    pub(super) fn within<R>(
        &self,
        name: &'static str,
        limits: Limits,
        run: impl FnOnce() -> R,
    ) -> (R, bool) {
        let steps =
            i64::try_from(limits.instructions / u64::from(STEP.unsigned_abs())).unwrap_or(i64::MAX);
        self.steps.store(steps.max(1), Ordering::Relaxed);
        self.time.set(limits.time);
        self.queries.set(0);
        self.name.set(name);
        self.is_logged.set(false);
        let result = run();
        (result, self.steps.swap(UNLIMITED, Ordering::Relaxed) == 0)
    }

    /// Called before a query. Fails if nothing is left, or too much time has passed since the first ones.
    pub(super) fn check(&self) -> Result<(), SqliteError> {
        match self.steps.load(Ordering::Relaxed) {
            UNLIMITED => return Ok(()),
            0 => {}
            _ if self.is_in_time() => return Ok(()),
            _ => self.steps.store(0, Ordering::Relaxed),
        }
        if !self.is_logged.replace(true) {
            // Whatever runs may not look at its errors, and never end.
            tracing::warn!(
                name = self.name.get(),
                "it takes too long: its queries fail from now on"
            );
        }
        Err(SqliteError::interrupted())
    }

    fn is_in_time(&self) -> bool {
        let queries = self.queries.get().wrapping_add(1);
        self.queries.set(queries);
        if !queries.is_multiple_of(QUERIES_PER_LOOK) {
            return true;
        }
        let mut watch = self.watch.borrow_mut();
        if queries == QUERIES_PER_LOOK {
            *watch = Some(Stopwatch::start());
        }
        let passed = watch.as_mut().map(Stopwatch::lap).unwrap_or_default();
        let left = self.time.get().checked_sub(passed);
        self.time.set(left.unwrap_or_default());
        left.is_some()
    }

    /// Has queries end once the budget is used up, if there is one.
    pub(super) fn count_steps(&self, conn: &mut Connection) -> rusqlite::Result<()> {
        let steps = Arc::clone(&self.steps);
        let is_used_up = move || {
            let limited = |left: i64| (left > 0).then(|| left - 1);
            // The last step ends the query, and so does every one after it.
            steps
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, limited)
                .is_err_and(|left| left == 0)
        };
        conn.progress_handler(STEP, Some(is_used_up))
    }
}
