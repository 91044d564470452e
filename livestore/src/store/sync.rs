//! Sync, as an app sees it: status, pausing, waiting.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::Waker;
use std::time::Duration;

use super::driver::{Command, Driver};
use super::order::Order;
use super::trace::Applied;
use super::transition::Turn;
use super::{Core, Inner, ReadError, Store};
use crate::ambient::now;
use crate::edge::{Mailbox, Worker, catch_panic};
use crate::event::SeqNum;
use crate::live::{Computed, computed, deliver};
use crate::schema::Schema;
use crate::session;
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
    /// Whether the driver is about to look for events to push.
    pub(super) is_woken: AtomicBool,
    pub(super) payload: Payload,
    worker: Mutex<Option<Worker<Command>>>,
    pub(super) backend: Arc<dyn SyncBackend>,
}

/// Tasks that wait until a store is synced.
#[derive(Default)]
pub(super) struct Waiting(Mutex<Vec<Waker>>);

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
        self.sync_status()?;
        let status = self.inner.status.clone();
        Ok(computed(move |get| (*get.of(&status)).clone()))
    }

    /// Returns whether there is a connection to the backend, and if not, why.
    ///
    /// # Errors
    /// When the store is closed.
    pub fn network_status(&self) -> Result<NetworkStatus, ReadError> {
        Ok(self.sync_status()?.network)
    }

    /// Disconnects from the backend until [`resume_sync`](Self::resume_sync). Commits still work. In the session
    /// that leads, nothing is pushed or pulled any more once this returns.
    pub fn pause_sync(&self) {
        self.inner.pause_sync();
    }

    /// Connects now: after [`pause_sync`](Self::pause_sync), after a stop, or before the next attempt
    /// is due.
    pub fn resume_sync(&self) {
        self.inner.resume_sync();
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
        self.inner.reconnect_now();
    }

    /// Replaces the [payload](SyncOptions::payload) that the store sends to the backend when it connects,
    /// such as a token that was renewed, or that of a user who has [logged in
    /// again](NetworkStatus::LoginRequired). It replaces a [function](SyncOptions::payload_with), too. If the
    /// store is offline, it connects now; a connection that there is, goes on until the backend ends it.
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
        self.inner.set_sync_payload(json.into())
    }
}

impl Syncing {
    /// Syncing for a store; [`start`](Self::start) it once the store is made, and leads.
    pub(super) fn new(options: &SyncOptions) -> Self {
        Self {
            backend: Arc::clone(&options.backend),
            mailbox: Arc::new(Mailbox::new()),
            is_woken: AtomicBool::new(false),
            payload: options.payload.clone(),
            worker: Mutex::new(None),
        }
    }

    /// Starts the thread that drives the engine.
    pub(super) fn start(
        &self,
        inner: Weak<Inner>,
        store_id: &str,
        is_paused: bool,
    ) -> std::io::Result<()> {
        let mailbox = Arc::clone(&self.mailbox);
        let backend = Arc::clone(&self.backend);
        let (store_id, payload) = (store_id.to_owned(), self.payload.clone());
        let mut driver = Driver::new(inner, backend, store_id, payload, Arc::clone(&mailbox));
        let worker = Worker::spawn("livestore-sync", mailbox, move |order| driver.turn(order))?;
        self.worker.lock().unwrap_or_else(PoisonError::into_inner).replace(worker);
        if !is_paused {
            self.mailbox.put(Command::Start);
        }
        Ok(())
    }

    /// Ends the connection and the thread.
    pub(super) fn close(&self) {
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(worker);
    }

    /// Returns why this thread must not wait for the backend, if so.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn blocked_by_waiting(&self) -> Option<String> {
        self.backend.blocked_by_waiting()
    }
}

impl Waiting {
    /// Has the task woken when the status changes.
    pub(super) fn add(&self, waker: &Waker) {
        let mut wakers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !wakers.iter().any(|waiting| waiting.will_wake(waker)) {
            wakers.push(waker.clone());
        }
    }

    pub(super) fn wake(&self) {
        let waiting = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl Inner {
    pub(super) fn pause_sync(&self) {
        match self.core().as_deref_mut() {
            // What is committed from now on is not pushed, even if the driver is late.
            Ok(Some(Core { order: Order::Backend(engine), .. })) => engine.pause(),
            Ok(Some(core)) => return core.command(session::Command::Pause),
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "sync is not paused"),
        }
        self.command(Command::Pause);
    }

    pub(super) fn resume_sync(&self) {
        match self.core().as_deref_mut() {
            Ok(Some(Core { order: Order::Backend(engine), .. })) => engine.expect_start(),
            Ok(Some(core)) => return core.command(session::Command::Resume),
            Ok(None) => {}
            Err(error) => {
                tracing::error!(%error, "sync is not resumed");
                return;
            }
        }
        self.command(Command::Start);
    }

    pub(super) fn reconnect_now(&self) {
        if let Ok(Some(core)) = self.core().as_deref_mut() {
            core.command(session::Command::Reconnect);
        }
        self.command(Command::Reconnect);
    }

    pub(super) fn drop_connection(&self) {
        self.command(Command::Drop);
    }

    pub(super) fn delay_messages(&self, delay: Duration) {
        self.command(Command::Delay(delay));
    }

    pub(super) fn set_sync_payload(&self, json: String) -> Result<(), InvalidPayload> {
        let follows = self.with_core(|core| matches!(core.order, Order::Leader(_)));
        if follows == Ok(true) {
            Payload::fixed(json.clone()).check()?;
        }
        if let Some(sync) = &self.sync {
            sync.payload.set(json.clone())?;
        }
        if let Ok(Some(core)) = self.core().as_deref_mut() {
            core.command(session::Command::Payload(json));
        }
        self.reconnect_now();
        Ok(())
    }

    /// Gives the driver a command. If another session leads, there is nothing to drive.
    fn command(&self, command: Command) {
        let leads = self.with_core(|core| core.order.engine().is_some()).unwrap_or(true);
        if let Some(sync) = self.sync.as_ref().filter(|_| leads) {
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
        self.notify_quarantined(&turn.quarantined);
        self.probe.notify(&turn.activities);
        Applied::deliver(turn.applied, || {
            self.status.set(turn.status);
            self.waiting.wake();
            deliver();
        });
    }

    /// Notifies the app of events that could not be applied.
    pub(super) fn notify_quarantined(&self, quarantined: &[Quarantined]) {
        if let Some(callback) = &self.on_quarantined {
            let call = || quarantined.iter().for_each(callback);
            if catch_panic(call).is_err() {
                tracing::error!("the callback for quarantined events panicked; sync goes on");
            }
        }
    }

    /// Notifies the app of the status as it is now.
    pub(super) fn notify_status(&self) {
        if let Ok(status) = self.with_core(Core::sync_status) {
            self.status.set(status);
            self.waiting.wake();
        }
    }
}

impl Core {
    pub(super) fn sync_status(&self) -> SyncStatus {
        match &self.order {
            Order::Backend(engine) => SyncStatus {
                local_head: engine.state().local_head,
                upstream_head: engine.state().upstream_head,
                pending: engine.state().to_push(),
                refused: self.refused,
                network: engine.network(),
                next_attempt: self.next_attempt.map(|next| next.at),
                no_image: self.no_image.clone(),
            },
            Order::Leader(follower) if follower.syncs() => {
                let (network, next_attempt) = follower.network();
                SyncStatus {
                    local_head: follower.state().local_head,
                    upstream_head: follower.state().upstream_head,
                    pending: follower.state().to_push(),
                    refused: self.refused,
                    network,
                    next_attempt,
                    no_image: self.no_image.clone(),
                }
            }
            Order::Own | Order::Leader(_) => SyncStatus {
                local_head: self.state.head,
                // A session's own commits get their final place from the leader.
                upstream_head: self.confirmed_head(),
                pending: 0,
                refused: self.refused,
                network: NetworkStatus::None,
                next_attempt: None,
                no_image: None,
            },
        }
    }

    /// Has the leader do this, if there is one.
    fn command(&mut self, command: session::Command) {
        if let Some(follower) = self.order.follower_mut() {
            follower.command(command);
        }
    }

    /// Notifies the other sessions of the connection, if that has changed.
    pub(super) fn notify_network(&mut self) {
        if !self.has_sessions() {
            return;
        }
        let SyncStatus { network, next_attempt, .. } = self.sync_status();
        let current = Some((network, next_attempt));
        if self.announced != current
            && let Some((network, next_attempt)) = current.clone()
        {
            self.announced = current;
            self.broadcast(|| session::FromLeader::Network(network, next_attempt));
        }
    }

    /// Notes when the engine makes its next attempt.
    pub(super) fn note_next_attempt(&mut self, time: Duration) {
        let due = self.order.engine().and_then(Engine::next_attempt);
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
        self.order.state().map_or(self.state.head, |state| state.confirmed_head)
    }
}
