//! Jobs, which stand for threads: the world decides when each runs.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::clock::elapsed;

/// A job's number. They count up in each world.
pub type JobId = u64;

/// A job's wish at its end: whether to be run again now, and at what time at the latest.
pub(super) struct Again {
    pub(super) now: bool,
    pub(super) deadline: Option<Duration>,
}

/// A job that may be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The job's number.
    pub job: JobId,
    /// The job's owner: the one that the world had [set](own) when it was added.
    pub owner: u64,
    /// A name for what it does.
    pub name: &'static str,
}

type Work = Box<dyn FnMut() -> Again>;

struct Job {
    owner: u64,
    name: &'static str,
    woken: bool,
    deadline: Option<Duration>,
    /// Not there while it runs.
    work: Option<Work>,
}

#[derive(Default)]
struct Schedule {
    jobs: BTreeMap<JobId, Job>,
    made: JobId,
    owner: u64,
}

thread_local! {
    static SCHEDULE: RefCell<Schedule> = RefCell::default();
}

/// Sets the owner of the jobs that are added from now on.
pub fn own(owner: u64) {
    with(|schedule| schedule.owner = owner);
}

/// The jobs that may be run, in the order in which they were made.
pub fn due() -> Vec<Due> {
    let now = elapsed();
    with(|schedule| {
        let due = schedule.jobs.iter().filter(|(_, job)| {
            job.work.is_some() && (job.woken || job.deadline.is_some_and(|then| then <= now))
        });
        due.map(|(&id, job)| Due { job: id, owner: job.owner, name: job.name }).collect()
    })
    .unwrap_or_default()
}

/// When the next job is due that is not due already.
pub fn next_deadline() -> Option<Duration> {
    let now = elapsed();
    with(|schedule| {
        schedule.jobs.values().filter_map(|job| job.deadline).filter(|then| *then > now).min()
    })
    .flatten()
}

/// Runs a job once. One that is gone does nothing.
pub fn run(job: JobId) {
    let taken = with(|schedule| {
        let job = schedule.jobs.get_mut(&job)?;
        job.woken = false;
        job.work.take()
    });
    let Some(mut work) = taken.flatten() else { return };
    let again = work();
    let left = with(|schedule| match schedule.jobs.get_mut(&job) {
        Some(job) => {
            job.woken |= again.now;
            job.deadline = again.deadline;
            job.work = Some(work);
            None
        }
        // It has dropped itself.
        None => Some(work),
    });
    drop(left);
}

pub(super) fn add(name: &'static str, work: Work) -> JobId {
    let added = with(|schedule| {
        schedule.made += 1;
        let (owner, id) = (schedule.owner, schedule.made);
        let job = Job { owner, name, woken: false, deadline: None, work: Some(work) };
        schedule.jobs.insert(id, job);
        id
    });
    added.unwrap_or_default()
}

pub(super) fn wake(job: JobId) {
    with(|schedule| {
        if let Some(job) = schedule.jobs.get_mut(&job) {
            job.woken = true;
        }
    });
}

/// Dropping a job's work may drop other jobs.
pub(super) fn remove(job: JobId) {
    drop(with(|schedule| schedule.jobs.remove(&job)));
}

pub(super) fn reset() {
    drop(with(std::mem::take));
}

/// `None` when the thread is ending.
fn with<R>(work: impl FnOnce(&mut Schedule) -> R) -> Option<R> {
    SCHEDULE.try_with(|schedule| work(&mut schedule.borrow_mut())).ok()
}

/// A job that is run some time after it was woken; wakes until then count as one.
pub struct Background(JobId);

impl Background {
    /// Adds the job.
    pub fn new(name: &'static str, mut job: impl FnMut() + Send + 'static) -> Self {
        let work = move || {
            job();
            Again { now: false, deadline: None }
        };
        Self(add(name, Box::new(work)))
    }

    /// Does nothing: a job needs no thread.
    ///
    /// # Errors
    /// Never.
    pub fn start(&self) -> std::io::Result<()> {
        Ok(())
    }

    /// Makes the job due.
    pub fn wake(&self) {
        wake(self.0);
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        remove(self.0);
    }
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Background").finish_non_exhaustive()
    }
}
