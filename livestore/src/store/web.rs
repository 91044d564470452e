//! What `livestore-web` does with a store, beyond what an app does.

use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::builder::{DEFAULT_WINDOW, WithoutFiles};
use super::load_history::LoadHistoryError;
use super::session::SILENCE;
use super::{Builder, OpenError, Order, Store, folder};
use crate::edge::{Line, LineEvent, OnLine, dial};
use crate::error::Unavailable;
use crate::schema::Schema;
use crate::session::{Assembler, FromLeader, FromSession, PROTOCOL, Recover, Recovered, frames};

pub use super::session::Journal;

/// The directory of all stores on a disk that is installed: it has no others.
const DIRECTORY: &str = "/";

/// Has the builder open a session of the store's leader, which reads nothing but what that sends. It
/// never leads. It is in the window `window_id`, unless the builder says another.
pub fn without_files<S>(
    mut builder: Builder<S>,
    window_id: String,
    journal: impl Journal + 'static,
) -> Builder<S> {
    if builder.options.window_id == DEFAULT_WINDOW {
        builder.options.window_id = window_id;
    }
    builder.options.directory.get_or_insert_with(|| PathBuf::from(DIRECTORY));
    builder.options.without_files = Some(WithoutFiles { journal: Box::new(journal) });
    builder
}

/// Opens the store on the disk that is installed. It waits for an image, if it wants one, and not for its
/// first sync.
///
/// # Errors
/// See [`OpenError`].
#[cfg(target_family = "wasm")]
pub async fn open_in_worker<S: Schema>(mut builder: Builder<S>) -> Result<Store<S>, OpenError> {
    builder.options.directory = Some(PathBuf::from(DIRECTORY));
    super::open::open_files_with_image(builder.options, S::def()).await
}

/// Returns the id of the store that the builder opens.
pub fn store_id<S>(builder: &Builder<S>) -> &str {
    &builder.options.store_id
}

/// Returns the folder of a store on a disk that is installed.
///
/// # Errors
/// When the id cannot be a store's.
pub fn folder_of(store_id: &str) -> Result<PathBuf, OpenError> {
    super::id::check(store_id)?;
    folder::find(DIRECTORY.as_ref(), store_id)
}

/// Has the leader add those of these commits that it does not have. They are those of one session that
/// has ended, as its [`Journal`] has got them, in order. If one of them cannot be read, those before it are
/// added, and the answer is an error.
///
/// # Errors
/// When there are no channels here.
pub fn recover(folder: &Path, store_id: &str, commits: &[Vec<u8>]) -> std::io::Result<Recovery> {
    let count = commits.len();
    let commits: Vec<_> = commits.iter().map_while(|bytes| Recovered::decode(bytes)).collect();
    let is_whole = commits.len() == count;
    let events = commits.iter().flat_map(|commit| &commit.events);
    let Some(session_id) = events.map(|event| Arc::clone(&event.session_id)).next() else {
        let shared = Arc::new(Shared::default());
        shared.answer(outcome(is_whole));
        return Ok(Recovery { shared, _line: None });
    };
    let store_id = store_id.to_owned();
    ask(folder, Recover { protocol: PROTOCOL, store_id, session_id, commits }, is_whole)
}

fn ask(folder: &Path, recover: Recover, is_whole: bool) -> std::io::Result<Recovery> {
    let shared = Arc::new(Shared::default());
    let theirs = Arc::clone(&shared);
    let mut assembler = Assembler::default();
    let on_event: OnLine = Box::new(move |event| {
        if let Some(answer) = answer(&mut assembler, event) {
            theirs.answer(answer.and_then(|()| outcome(is_whole)));
        }
    });
    let line = dial(folder, |_| on_event)?;
    let message = FromSession::Recover(recover).encode();
    line.send(frames(&message));
    Ok(Recovery { shared, _line: Some(line) })
}

/// Waits until the leader of the store has said something. If nobody leads, until somebody does.
pub async fn find_leader(folder: &Path, store_id: &str) {
    let recover = Recover {
        protocol: PROTOCOL,
        store_id: store_id.to_owned(),
        session_id: Arc::from(""),
        commits: Vec::new(),
    };
    // It does not matter what it says.
    if let Ok(found) = ask(folder, recover, true) {
        let _ = found.await;
    }
}

/// What could not be read is not to be forgotten: another version of the app may have written it.
fn outcome(is_whole: bool) -> Answer {
    let unreadable = "this version of the app cannot read some of them, and keeps them";
    if is_whole { Ok(()) } else { Err(unreadable.to_owned()) }
}

/// A leader's answer to commits that it was sent, or why there is none.
type Answer = Result<(), String>;

fn answer(assembler: &mut Assembler, event: LineEvent) -> Option<Answer> {
    let frame = match event {
        LineEvent::Frame(frame) => frame,
        LineEvent::Closed { reason } => return Some(Err(reason)),
    };
    let message = assembler.add(&frame).ok().flatten()?;
    Some(match FromLeader::decode(&message) {
        Some(FromLeader::Recovered) => Ok(()),
        Some(FromLeader::Failed(reason)) => Err(reason),
        _ => Err("the session that leads refuses them".to_owned()),
    })
}

/// Waits until a leader has the commits of a session that has ended; the error is for people.
#[must_use = "futures do nothing unless they are awaited"]
pub struct Recovery {
    shared: Arc<Shared>,
    _line: Option<Line>,
}

#[derive(Default)]
struct Shared(Mutex<(Option<Answer>, Option<Waker>)>);

impl Shared {
    fn answer(&self, answer: Answer) {
        let mut state = self.state();
        state.0.get_or_insert(answer);
        if let Some(waker) = state.1.take() {
            drop(state);
            waker.wake();
        }
    }

    fn state(&self) -> MutexGuard<'_, (Option<Answer>, Option<Waker>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Future for Recovery {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let mut state = self.shared.state();
        match state.0.clone() {
            Some(answer) => Poll::Ready(answer),
            None => {
                state.1 = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl fmt::Debug for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recovery").finish_non_exhaustive()
    }
}

/// Waits until the session has all of the log's events, from the first on.
#[must_use = "futures do nothing unless they are awaited"]
pub struct History<S> {
    store: Store<S>,
    /// Whether the leader was asked for them.
    is_asked: bool,
    /// The outcome, if this session has the log and has begun to load them.
    load: Option<Arc<Mutex<Option<Loaded>>>>,
}

type Loaded = Result<(), LoadHistoryError>;

impl<S> History<S> {
    /// Asks for them when it is first polled.
    pub fn of(store: &Store<S>) -> Self
    where
        S: Schema,
    {
        Self { store: store.clone(), is_asked: false, load: None }
    }
}

impl<S: Schema> Future for History<S> {
    type Output = Loaded;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Loaded> {
        let inner = Arc::clone(&self.store.inner);
        // Before the look: what changes after it wakes the task.
        inner.waiting.add(context.waker());
        let mut slot = inner.core()?;
        if let Order::Leader(follower) = &mut slot.as_mut().ok_or(Unavailable::Closed)?.order {
            if !std::mem::replace(&mut self.is_asked, true) {
                follower.forget_history_failure();
            }
            return match follower.ask_for_history() {
                Ok(true) => Poll::Ready(Ok(())),
                Ok(false) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            };
        }
        drop(slot);
        let is_new = self.load.is_none();
        let load = Arc::clone(self.load.get_or_insert_default());
        if is_new {
            let (waiting, theirs) = (Arc::downgrade(&inner), Arc::clone(&load));
            let then = move |loaded| {
                *theirs.lock().unwrap_or_else(PoisonError::into_inner) = Some(loaded);
                if let Some(inner) = waiting.upgrade() {
                    inner.waiting.wake();
                }
            };
            inner.load_history(SILENCE, Box::new(then));
        }
        let loaded = load.lock().unwrap_or_else(PoisonError::into_inner).take();
        loaded.map_or(Poll::Pending, Poll::Ready)
    }
}

impl<S> fmt::Debug for History<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History").finish_non_exhaustive()
    }
}
