//! Sync, as an app sees it: status, pausing, waiting.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::Waker;
use std::time::Duration;

use super::driver::{Command, Driver};
use super::transition::Turn;
use super::{Core, Inner, ReadError, Store};
use crate::ambient::now;
use crate::edge::{Mailbox, Worker};
use crate::event::SeqNum;
use crate::live::{Computed, Signal, computed, deliver, signal};
use crate::schema::Schema;
use crate::state::Quarantined;
use crate::sync::engine::Engine;
use crate::sync::payload::Payload;
use crate::sync::{InvalidPayload, NetworkStatus, SyncBackend, SyncOptions, SyncStatus};
use crate::value::Timestamp;

/// Called with each event that came by sync, or was rebased, and could not be applied.
pub(super) type OnQuarantined = Box<dyn Fn(&Quarantined) + Send + Sync>;

/// The part of a store that syncs it with a backend.
pub(super) struct Syncing {
    mailbox: Arc<Mailbox<Command>>,
    status: Signal<SyncStatus>,
    /// Whether the driver is about to look for events to push.
    pub(super) is_woken: AtomicBool,
    on_quarantined: Option<OnQuarantined>,
    payload: Payload,
    worker: Mutex<Option<Worker<Command>>>,
    backend: Arc<dyn SyncBackend>,
    /// Tasks that wait until the store is synced.
    wakers: Mutex<Vec<Waker>>,
}

/// The next attempt of the engine, by its clock and by that of people. Their clock may be set to another
/// time; what was said once is not changed by that.
#[derive(Debug, Clone, Copy)]
pub(super) struct NextAttempt {
    due: Duration,
    at: Timestamp,
}

impl<S: Schema> Store<S> {
    /// Returns how far this store and its backend agree.
    ///
    /// Without a backend, every event counts as confirmed.
    ///
    /// # Errors
    /// When the store is closed.
    pub fn sync_status(&self) -> Result<SyncStatus, ReadError> {
        Ok(self.inner.with_core(Core::sync_status)?)
    }

    /// Returns the [status](Self::sync_status) as a live value. It is updated a moment after each
    /// commit.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::todos::*;
    /// # fn main() -> livestore::Result<()> {
    /// # let store = Store::<App>::builder("todos").open()?;
    /// let status = store.live_sync_status()?;
    /// let _guard = status.subscribe(|status| println!("{} to push", status.pending));
    /// assert!(status.get().pending == 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the store is closed.
    pub fn live_sync_status(&self) -> Result<Computed<SyncStatus>, ReadError> {
        let status = match &self.inner.sync {
            Some(sync) => sync.status.clone(),
            None => signal(self.sync_status()?),
        };
        Ok(computed(move |get| (*get.of(&status)).clone()))
    }

    /// Returns whether there is a connection to the backend, and if not, why.
    ///
    /// # Errors
    /// When the store is closed.
    pub fn network_status(&self) -> Result<NetworkStatus, ReadError> {
        Ok(self.sync_status()?.network)
    }

    /// Disconnects from the backend until [`resume_sync`](Self::resume_sync). Commits still work.
    pub fn pause_sync(&self) {
        // What is committed from now on is not pushed, even if the driver is late.
        match self.inner.core().as_deref_mut() {
            Ok(Some(Core { sync: Some(engine), .. })) => engine.pause(),
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "sync is not paused"),
        }
        self.inner.command(Command::Pause);
    }

    /// Connects now: after [`pause_sync`](Self::pause_sync), after a stop, or before the next attempt
    /// is due.
    pub fn resume_sync(&self) {
        match self.inner.core().as_deref_mut() {
            Ok(Some(Core { sync: Some(engine), .. })) => engine.expect_start(),
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, "sync is not resumed");
                return;
            }
        }
        self.inner.command(Command::Start);
    }

    /// Has the store connect now, if it is offline and waits for the [next
    /// attempt](SyncStatus::next_attempt); a connection that there is, is checked, so that one that
    /// broke silently is noticed soon.
    ///
    /// It is a hint for when the app knows more than the store does: it comes to the foreground, the
    /// machine wakes up, the network is back, or somebody presses "retry". It costs little, and does
    /// nothing while sync is [paused](Self::pause_sync) or stopped.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::todos::*;
    /// fn on_foreground(store: &Store<App>) {
    ///     store.reconnect_now();
    /// }
    /// ```
    pub fn reconnect_now(&self) {
        self.inner.command(Command::Reconnect);
    }

    /// Replaces the [payload](SyncOptions::payload) that the store sends to the backend when it connects,
    /// such as a token that was renewed. If the store is offline, it connects now; a connection that
    /// there is, goes on until the backend ends it.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore::sync::InvalidPayload;
    /// # use livestore_testing::sample::todos::*;
    /// fn on_new_token(store: &Store<App>, token: &str) -> Result<(), InvalidPayload> {
    ///     store.set_sync_payload(format!(r#"{{"authToken":"{token}"}}"#))
    /// }
    /// ```
    ///
    /// # Errors
    /// When it is not JSON; the old one stays.
    pub fn set_sync_payload(&self, json: impl Into<String>) -> Result<(), InvalidPayload> {
        if let Some(sync) = &self.inner.sync {
            sync.payload.set(json.into())?;
            self.reconnect_now();
        }
        Ok(())
    }
}

impl Syncing {
    /// Syncing for a store with this status; [`start`](Self::start) it once the store is made.
    pub(super) fn new(
        status: SyncStatus,
        options: &SyncOptions,
        on_quarantined: Option<OnQuarantined>,
    ) -> Self {
        Self {
            backend: Arc::clone(&options.backend),
            wakers: Mutex::default(),
            mailbox: Arc::new(Mailbox::new()),
            status: signal(status),
            is_woken: AtomicBool::new(false),
            on_quarantined,
            payload: options.payload.clone(),
            worker: Mutex::new(None),
        }
    }

    /// Starts the thread that drives the engine.
    pub(super) fn start(
        &self,
        inner: Weak<Inner>,
        store_id: &str,
        options: &SyncOptions,
    ) -> std::io::Result<()> {
        let mailbox = Arc::clone(&self.mailbox);
        let backend = Arc::clone(&self.backend);
        let (store_id, payload) = (store_id.to_owned(), self.payload.clone());
        let mut driver = Driver::new(inner, backend, store_id, payload, Arc::clone(&mailbox));
        let worker = Worker::spawn("livestore-sync", mailbox, move |order| driver.turn(order))?;
        self.worker.lock().unwrap_or_else(PoisonError::into_inner).replace(worker);
        if !options.starts_paused {
            self.mailbox.put(Command::Start);
        }
        Ok(())
    }

    /// Ends the connection and the thread.
    pub(super) fn close(&self) {
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(worker);
        self.wake_waiting();
    }

    /// Returns why this thread must not wait for the backend, if so.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn blocked_by_waiting(&self) -> Option<String> {
        self.backend.blocked_by_waiting()
    }

    /// The status, to be notified of.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn status(&self) -> &Signal<SyncStatus> {
        &self.status
    }

    /// Has the task woken when the status changes.
    pub(super) fn wake_later(&self, waker: &Waker) {
        let mut wakers = self.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        if !wakers.iter().any(|waiting| waiting.will_wake(waker)) {
            wakers.push(waker.clone());
        }
    }

    pub(super) fn wake_waiting(&self) {
        let waiting =
            std::mem::take(&mut *self.wakers.lock().unwrap_or_else(PoisonError::into_inner));
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl Inner {
    fn command(&self, command: Command) {
        if let Some(sync) = &self.sync {
            sync.mailbox.put(command);
        }
    }

    /// Wakes the driver after a commit, unless it is about to look for events anyway.
    pub(super) fn wake_sync(&self) {
        if let Some(sync) = &self.sync
            && !sync.is_woken.swap(true, Ordering::AcqRel)
        {
            sync.mailbox.put(Command::Committed);
        }
    }

    /// Notifies the app of the outcome of a turn. Call it while no lock is held.
    pub(super) fn notify(&self, turn: Turn) {
        let Some(sync) = &self.sync else { return };
        if let Some(callback) = &sync.on_quarantined {
            let call = || turn.quarantined.iter().for_each(callback);
            if catch_unwind(AssertUnwindSafe(call)).is_err() {
                tracing::error!("the callback for quarantined events panicked; sync goes on");
            }
        }
        sync.status.set(turn.status);
        sync.wake_waiting();
        deliver();
    }
}

impl Core {
    pub(super) fn sync_status(&self) -> SyncStatus {
        match &self.sync {
            Some(engine) => SyncStatus {
                local_head: engine.state().local_head,
                upstream_head: engine.state().upstream_head,
                pending: engine.state().to_push(),
                refused: self.refused,
                network: engine.network(),
                next_attempt: self.next_attempt.map(|next| next.at),
            },
            None => SyncStatus {
                local_head: self.state.head,
                upstream_head: self.state.head,
                pending: 0,
                refused: self.refused,
                network: NetworkStatus::None,
                next_attempt: None,
            },
        }
    }

    /// Notes when the engine makes its next attempt.
    pub(super) fn note_next_attempt(&mut self, time: Duration) {
        let due = self.sync.as_ref().and_then(Engine::next_attempt);
        self.next_attempt = match (due, self.next_attempt) {
            (Some(due), Some(known)) if known.due == due => Some(known),
            (Some(due), _) => {
                let wait = due.saturating_sub(time).as_millis();
                let wait = i64::try_from(wait).unwrap_or(i64::MAX);
                let at = Timestamp::from_millis(now().as_millis().saturating_add(wait));
                Some(NextAttempt { due, at })
            }
            (None, _) => None,
        };
    }

    /// The last event that is not pending.
    pub(super) fn confirmed_head(&self) -> SeqNum {
        self.sync.as_ref().map_or(self.state.head, |engine| engine.state().confirmed_head)
    }
}
