//! Jobs, which stand for threads: the world decides when each runs.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use super::clock::{elapsed, pass};
use super::random::below;

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
    /// Owners whose jobs wait until they are woken.
    hanging: BTreeSet<u64>,
    /// Owners whose process is gone.
    dead: BTreeSet<u64>,
    /// The job that runs, if one does: of those that run inside each other, the innermost.
    running: JobId,
}

impl Schedule {
    fn may_run(&self, owner: u64) -> bool {
        !self.hanging.contains(&owner) && !self.dead.contains(&owner)
    }
}

thread_local! {
    static SCHEDULE: RefCell<Schedule> = RefCell::default();
}

/// Sets the owner of what is done from now on, outside of jobs.
pub fn own(owner: u64) {
    with(|schedule| schedule.owner = owner);
}

/// The owner of what is done now: that of the job that runs, or the one that the world has [set](own).
pub fn owner() -> u64 {
    with(|schedule| schedule.owner).unwrap_or_default()
}

/// Ends an owner's process: its lines close, and its jobs do not run any more.
pub fn end(owner: u64) {
    with(|schedule| schedule.dead.insert(owner));
    super::line::end_owner(owner);
}

/// Whether an owner's process has [ended](end).
pub fn has_ended(owner: u64) -> bool {
    with(|schedule| schedule.dead.contains(&owner)).unwrap_or(true)
}

/// Has an owner's jobs wait, or go on.
pub fn hang(owner: u64, hangs: bool) {
    with(|schedule| match hangs {
        true => schedule.hanging.insert(owner),
        false => schedule.hanging.remove(&owner),
    });
}

/// What runs now, such as a job; 0 is what runs outside of jobs.
pub(crate) fn current_task() -> JobId {
    with(|schedule| schedule.running).unwrap_or_default()
}

/// The jobs that may be run, in the order in which they were made.
pub fn due() -> Vec<Due> {
    let now = elapsed();
    with(|schedule| {
        let due = schedule.jobs.iter().filter(|(_, job)| {
            let is_time = job.woken || job.deadline.is_some_and(|then| then <= now);
            job.work.is_some() && is_time && schedule.may_run(job.owner)
        });
        due.map(|(&id, job)| Due { job: id, owner: job.owner, name: job.name }).collect()
    })
    .unwrap_or_default()
}

/// When the next job is due that is not due already.
pub fn next_deadline() -> Option<Duration> {
    let now = elapsed();
    with(|schedule| {
        let jobs = schedule.jobs.values().filter(|job| schedule.may_run(job.owner));
        jobs.filter_map(|job| job.deadline).filter(|then| *then > now).min()
    })
    .flatten()
}

/// Lets time pass until `is_over`, or until then, while the sessions of a store talk: somebody waits for
/// another session. Returns whether it is over.
pub(super) fn wait_for_sessions(until: Duration, mut is_over: impl FnMut() -> bool) -> bool {
    loop {
        if is_over() {
            return true;
        }
        if has_ended(owner()) {
            return false;
        }
        let due: Vec<_> = due().into_iter().filter(|due| is_of_sessions(due.name)).collect();
        let drawn = usize::try_from(below(due.len().max(1) as u64)).unwrap_or_default();
        match due.get(drawn) {
            Some(due) => run(due.job),
            None => match next_of_sessions().filter(|next| *next < until) {
                Some(next) => pass(next.saturating_sub(elapsed())),
                None => {
                    pass(until.saturating_sub(elapsed()));
                    return is_over();
                }
            },
        }
        if elapsed() >= until {
            return is_over();
        }
        pass(MOMENT);
    }
}

/// How long a job takes.
const MOMENT: Duration = Duration::from_micros(10);

fn is_of_sessions(name: &str) -> bool {
    matches!(name, "livestore-line" | "livestore-session")
}

fn next_of_sessions() -> Option<Duration> {
    let now = elapsed();
    with(|schedule| {
        let jobs = schedule.jobs.values().filter(|job| is_of_sessions(job.name));
        let jobs = jobs.filter(|job| job.work.is_some() && schedule.may_run(job.owner));
        jobs.filter_map(|job| job.deadline).filter(|then| *then > now).min()
    })
    .flatten()
}

/// Runs a job once. One that is gone does nothing.
pub fn run(job: JobId) {
    let id = job;
    let taken = with(|schedule| {
        let job = schedule.jobs.get_mut(&id)?;
        job.woken = false;
        let owner = std::mem::replace(&mut schedule.owner, job.owner);
        let running = std::mem::replace(&mut schedule.running, id);
        Some((job.work.take(), owner, running))
    });
    let Some((work, owner, running)) = taken.flatten() else { return };
    let Some(mut work) = work else {
        with(|schedule| (schedule.owner, schedule.running) = (owner, running));
        return;
    };
    let again = work();
    let left = with(|schedule| {
        (schedule.owner, schedule.running) = (owner, running);
        match schedule.jobs.get_mut(&id) {
            Some(job) => {
                job.woken |= again.now;
                job.deadline = again.deadline;
                job.work = Some(work);
                None
            }
            // It has dropped itself.
            None => Some(work),
        }
    });
    drop(left);
}

pub(super) fn add(name: &'static str, work: Work) -> JobId {
    add_for(owner(), name, work)
}

pub(super) fn add_for(owner: u64, name: &'static str, work: Work) -> JobId {
    let added = with(|schedule| {
        schedule.made += 1;
        let id = schedule.made;
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

/// Has the job run at this time, if it is not there to run before.
pub(super) fn set_deadline(job: JobId, at: Duration) {
    with(|schedule| {
        if let Some(job) = schedule.jobs.get_mut(&job) {
            job.deadline = Some(at);
        }
    });
}

/// Dropping a job's work may drop other jobs.
pub(super) fn remove(job: JobId) {
    drop(take(job));
}

/// Removes a job, whose work the caller drops.
pub(super) fn take(job: JobId) -> Option<Removed> {
    with(|schedule| schedule.jobs.remove(&job)).flatten().map(Removed)
}

/// A job that is gone.
pub(super) struct Removed(#[expect(dead_code, reason = "it is only dropped")] Job);

pub(super) fn reset() {
    super::line::reset();
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
