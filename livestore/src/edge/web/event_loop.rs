//! Jobs on the event loop of the page or worker: each runs when it is woken, and at its deadline.
//!
//! A job belongs to the thread that added it, as JavaScript's values do.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use js_sys::{Function, Reflect, global};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use super::catch_panic;

/// A job's number, from 1 on.
pub(super) type JobId = u64;

/// Runs a job once. Returns how long to wait at most before it is run again.
type Work = Box<dyn FnMut() -> Option<Duration>>;

struct Job {
    /// Not there while it runs.
    work: Option<Work>,
    is_woken: bool,
    /// What JavaScript calls the timer of the deadline.
    timer: Option<JsValue>,
}

#[derive(Default)]
struct Jobs {
    by_id: BTreeMap<JobId, Job>,
    added: JobId,
}

thread_local! {
    static JOBS: RefCell<Jobs> = RefCell::default();
}

/// The longest time that `setTimeout` counts, about 25 days.
const MAX_TIMER: Duration = Duration::from_millis(i32::MAX.unsigned_abs() as u64);

/// Adds a job, which waits to be woken.
///
/// # Errors
/// When there is no event loop: this is not a browser, nor anything like it.
pub(super) fn add(work: Work) -> io::Result<JobId> {
    for name in [SOON, LATER, NEVER] {
        function(name)?;
    }
    Ok(with(|jobs| {
        jobs.added += 1;
        let job = Job { work: Some(work), is_woken: false, timer: None };
        jobs.by_id.insert(jobs.added, job);
        jobs.added
    }))
}

/// Has the job run as soon as the code that runs now is done.
pub(super) fn wake(id: JobId) {
    let is_new = with(|jobs| {
        let job = jobs.by_id.get_mut(&id)?;
        Some(!std::mem::replace(&mut job.is_woken, true))
    });
    if is_new == Some(true) {
        call(SOON, &[run_later(id)]);
    }
}

/// Runs this as soon as the code that runs now is done.
pub(super) fn soon(run: impl FnOnce() + 'static) {
    call(SOON, &[Closure::once_into_js(run)]);
}

/// Has the job run once what is due now, such as messages that have arrived, is done.
pub(super) fn wake_later(id: JobId) {
    let is_new = with(|jobs| {
        let job = jobs.by_id.get_mut(&id)?;
        Some(!std::mem::replace(&mut job.is_woken, true))
    });
    if is_new == Some(true) {
        set_timer(id, Duration::ZERO);
    }
}

/// Drops the job. It may be the one that runs: then this run is its last.
pub(super) fn remove(id: JobId) {
    let removed = with(|jobs| jobs.by_id.remove(&id));
    // Dropping a job's work may remove other jobs.
    if let Some(timer) = removed.and_then(|job| job.timer) {
        call(NEVER, &[timer]);
    }
}

fn run(id: JobId) {
    let taken = with(|jobs| {
        let job = jobs.by_id.get_mut(&id)?;
        job.is_woken = false;
        Some((job.work.take()?, job.timer.take()))
    });
    let Some((mut work, timer)) = taken else { return };
    if let Some(timer) = timer {
        call(NEVER, &[timer]);
    }
    // A job that panics is run again at the next wake.
    let wait = catch_panic(&mut work).unwrap_or_else(|_| {
        tracing::error!("a job of the store panicked; the console may say where");
        None
    });
    put_back(id, work);
    match wait {
        Some(Duration::ZERO) => wake(id),
        Some(wait) => set_timer(id, wait),
        None => {}
    }
}

fn put_back(id: JobId, work: Work) {
    let dropped = with(|jobs| match jobs.by_id.get_mut(&id) {
        Some(job) => job.work.replace(work),
        // It has removed itself.
        None => Some(work),
    });
    drop(dropped);
}

fn set_timer(id: JobId, wait: Duration) {
    let millis = wait.min(MAX_TIMER).as_secs_f64() * 1_000.0;
    let timer = call(LATER, &[run_later(id), millis.ceil().into()]);
    with(|jobs| {
        if let Some(job) = jobs.by_id.get_mut(&id) {
            job.timer = timer;
        }
    });
}

fn run_later(id: JobId) -> JsValue {
    Closure::once_into_js(move || run(id))
}

fn with<R>(change: impl FnOnce(&mut Jobs) -> R) -> R {
    JOBS.with(|jobs| change(&mut jobs.borrow_mut()))
}

const SOON: &str = "queueMicrotask";
const LATER: &str = "setTimeout";
const NEVER: &str = "clearTimeout";

/// Returns a function that pages and workers have.
fn function(name: &str) -> io::Result<Function> {
    let found = Reflect::get(&global(), &name.into());
    found.ok().and_then(|found| found.dyn_into().ok()).ok_or_else(|| {
        io::Error::new(io::ErrorKind::Unsupported, format!("there is no `{name}` here"))
    })
}

/// Calls one of the functions that were there when the first job was added.
fn call(name: &str, args: &[JsValue]) -> Option<JsValue> {
    let args = args.iter().collect();
    let called = function(name).ok()?.apply(&JsValue::UNDEFINED, &args);
    called.inspect_err(|error| tracing::error!(?error, name, "the event loop refuses")).ok()
}
