//! Answers the page's calls about a store. It has no I/O: whoever has a connection to a page begins a
//! [`Conversation`], passes the page's messages on to it, and its answers and notifications back.

mod activity;
mod cell;
mod commit;
mod data;
mod files;
#[cfg(not(target_family = "wasm"))]
mod folder;
mod history;
mod live;
mod log;
mod refused;
mod sources;
mod sql;
mod status;
mod target;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use livestore::prelude::*;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};

use self::activity::Activities;
use self::live::LiveMemory;
use self::log::LogIndex;
pub(crate) use self::refused::Refused;
use self::sources::Sources;
use self::status::Seen;
use self::target::OpenStore;
pub(crate) use self::target::Target;
use crate::protocol::{Call, Notification, RefusalCode, Request, Topic, VERSION};

/// Answers calls about one store, of any number of pages.
pub struct Host {
    target: Arc<dyn Target>,
    sources: Sources,
    log: Mutex<LogIndex>,
    live: Mutex<LiveMemory>,
    activities: Arc<Activities>,
    /// The delay of messages, in milliseconds, that a page has asked for.
    delay: Mutex<u32>,
}

/// The conversation with one page.
pub struct Conversation {
    host: Arc<Host>,
    is_greeted: AtomicBool,
    running: Mutex<HashMap<u64, Arc<Running>>>,
    seen: Mutex<Seen>,
}

/// A call that is being answered.
#[derive(Default)]
pub(crate) struct Running {
    is_cancelled: AtomicBool,
    interrupt: Mutex<Option<livestore::state::Interrupt>>,
}

impl Host {
    /// Returns the host of a store, which it does not keep open.
    pub fn new<S: Schema>(store: &Store<S>) -> Arc<Self> {
        Self::of(Arc::new(OpenStore::new(store)))
    }

    /// Returns the host of a store's folder, whether or not an app has it open. It shows the log, and the state:
    /// as the app sees it that has the store open, or as of the last snapshot. What needs the app's types, it
    /// cannot do.
    ///
    /// # Errors
    /// When it is not a store's folder, or its log cannot be read.
    #[cfg(not(target_family = "wasm"))]
    pub fn of_folder(
        path: &std::path::Path,
    ) -> Result<Arc<Self>, livestore::inspect::InspectError> {
        Ok(Self::of(Arc::new(folder::ClosedStore::open(path)?)))
    }

    fn of(target: Arc<dyn Target>) -> Arc<Self> {
        Arc::new(Self {
            sources: Sources::new(Arc::clone(&target)),
            target,
            log: Mutex::default(),
            live: Mutex::default(),
            activities: Arc::default(),
            delay: Mutex::default(),
        })
    }

    /// Begins the conversation with a page.
    pub fn converse(self: &Arc<Self>) -> Conversation {
        Conversation {
            host: Arc::clone(self),
            is_greeted: AtomicBool::new(false),
            running: Mutex::default(),
            seen: Mutex::default(),
        }
    }
}

impl Conversation {
    /// Answers a message of the page's. That may take long; other messages may be answered meanwhile, on
    /// other threads.
    pub fn answer(&self, message: &str) -> String {
        let call: Call = match serde_json::from_str(message) {
            Ok(call) => call,
            Err(error) => {
                let id = serde_json::from_str::<Json>(message).ok();
                let id = id.and_then(|message| message.get("id")?.as_u64()).unwrap_or(0);
                let message = format!("this is not a call of the devtools' protocol: {error}");
                return written(id, Err(Refused::new(RefusalCode::BadCall, message)));
            }
        };
        let running = Arc::<Running>::default();
        lock(&self.running).insert(call.id, Arc::clone(&running));
        let outcome = self.carry_out(call.request, &running);
        lock(&self.running).remove(&call.id);
        let outcome = match running.is_cancelled() && outcome.is_err() {
            true => Err(Refused::new(RefusalCode::Cancelled, "cancelled")),
            false => outcome,
        };
        written(call.id, outcome)
    }

    /// Returns what is new on the topics that the page has subscribed to.
    pub fn notifications(&self) -> Vec<String> {
        let news = lock(&self.seen).news(&self.host);
        news.iter().filter_map(|news| serde_json::to_string::<Notification>(news).ok()).collect()
    }

    /// Ends the conversation: nobody waits for the calls that are being answered.
    pub fn close(&self) {
        lock(&self.running).values().for_each(|running| running.cancel());
    }

    fn carry_out(&self, request: Request, running: &Running) -> Result<Box<RawValue>, Refused> {
        let host = &*self.host;
        match request {
            Request::Hello { version } => return self.hello(version),
            _ if !self.is_greeted.load(Ordering::Acquire) => {
                return Err(Refused::new(RefusalCode::BadCall, "the first call is `hello`"));
            }
            Request::Subscribe { topics } => self.subscribe(topics)?,
            Request::Cancel { call } => self.cancel(call),
            Request::Schema {} => return host.schema().and_then(json_of),
            Request::Rows { source, table, sort, filter, offset, limit } => {
                let wanted = data::Wanted { table, sort, filter, offset, limit };
                return host.rows(&source, &wanted, running).and_then(json_of);
            }
            Request::RowPlace { source, table, sort, filter, key } => {
                let wanted = data::Wanted { table, sort, filter, offset: 0, limit: 0 };
                return host.row_place(&source, &wanted, &key, running).and_then(json_of);
            }
            Request::RowHistory { table, key } => {
                return host.row_history(&table, &key, running).and_then(json_of);
            }
            Request::Diff { from, to, limit } => {
                return host.diff(&from, &to, limit, running).and_then(json_of);
            }
            Request::Sql { source, sql, limit } => {
                return host.sql(&source, &sql, limit, running).and_then(json_of);
            }
            Request::Events { fork, place, limit, filter } => {
                return host.events(fork, &place, limit, &filter, running).and_then(json_of);
            }
            Request::Event { fork, seq } => return host.event(fork, &seq).and_then(json_of),
            Request::Commit { fork, name, args } => {
                return host.commit(fork, name, &args).and_then(json_of);
            }
            Request::AsTest { fork, to, table } => {
                return host.as_test(fork, &to, table.as_deref()).and_then(json_of);
            }
            Request::Fork { at } => return host.sources.fork(at.as_deref()).and_then(json_of),
            Request::DropFork { fork } => host.sources.drop_fork(fork)?,
            Request::Live {} => return host.live().and_then(json_of),
            Request::Sync { action } => host.sync(action)?,
            Request::Performance {} => return host.performance().and_then(json_of),
            Request::Sizes {} => return host.sizes(running).and_then(json_of),
            Request::ExportEvents { after } => {
                return host.export_events(after.as_deref()).and_then(json_of);
            }
            Request::ExportState { source, offset } => {
                return host.export_state(&source, offset).and_then(json_of);
            }
            Request::ImportEvents { fork, lines } => {
                return host.import_events(fork, &lines).and_then(json_of);
            }
        }
        json_of(json!({}))
    }

    fn hello(&self, version: u32) -> Result<Box<RawValue>, Refused> {
        if version != VERSION {
            let message = format!(
                "the page speaks version {version} of the devtools' protocol, the app version {VERSION}: \
                 reload the page, or open the app's own URL"
            );
            return Err(Refused::new(RefusalCode::OtherVersion, message));
        }
        let hello = self.host.hello()?;
        self.is_greeted.store(true, Ordering::Release);
        json_of(hello)
    }

    fn subscribe(&self, topics: Vec<Topic>) -> Result<(), Refused> {
        lock(&self.seen).subscribe(&self.host, topics)
    }

    fn cancel(&self, call: u64) {
        if let Some(running) = lock(&self.running).get(&call) {
            running.cancel();
        }
    }
}

impl Running {
    pub(crate) fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Acquire)
    }

    fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Release);
        if let Some(interrupt) = &*lock(&self.interrupt) {
            interrupt.interrupt();
        }
    }

    /// Fails if the call was cancelled.
    pub(crate) fn check(&self) -> Result<(), Refused> {
        if self.is_cancelled() {
            return Err(Refused::new(RefusalCode::Cancelled, "cancelled"));
        }
        Ok(())
    }

    /// Calls `read`, whose queries end when the call is cancelled.
    pub(crate) fn reading<R>(
        &self,
        state: &livestore::state::StateView,
        read: impl FnOnce() -> Result<R, Refused>,
    ) -> Result<R, Refused> {
        *lock(&self.interrupt) = Some(state.interrupt());
        let result = self.check().and_then(|()| read());
        *lock(&self.interrupt) = None;
        result
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation").finish_non_exhaustive()
    }
}

/// An [`Answer`](crate::protocol::Answer). What it contains is written as it is, so that an event's args
/// keep their order and their numbers.
fn written(id: u64, outcome: Result<Box<RawValue>, Refused>) -> String {
    match outcome {
        Ok(result) => format!("{{\"id\":{id},\"result\":{result}}}"),
        Err(Refused(refusal)) => json!({ "id": id, "error": refusal }).to_string(),
    }
}

fn json_of(answer: impl Serialize) -> Result<Box<RawValue>, Refused> {
    serde_json::value::to_raw_value(&answer)
        .map_err(|error| Refused::new(RefusalCode::Store, error.to_string()))
}

fn seq_of(text: &str) -> Result<SeqNum, Refused> {
    text.parse().map_err(|error: livestore::event::ParseSeqNumError| {
        Refused::new(RefusalCode::BadCall, error.to_string())
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
