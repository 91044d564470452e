//! A store and its sync backend, as an app sees them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::driver::{Driver, Order};
use super::settle::SettleError;
use super::{Core, Inner, Store};
use crate::edge::{Mail, Mailbox, Worker};
use crate::event::SeqNum;
use crate::eventlog::EventlogError;
use crate::live::{Computed, Reactive, Signal, computed, deliver, signal};
use crate::schema::Schema;
use crate::state::Quarantined;
use crate::sync::engine::{Effect, Input};
use crate::sync::merge::Outcome;
use crate::sync::{ConnectRequest, NetworkStatus, SyncOptions, SyncStatus};

/// Is told of an event that came by sync, or was rebased, and could not be applied.
pub(super) type OnQuarantined = Box<dyn Fn(&Quarantined) + Send + Sync>;

/// What a store with a backend has.
pub(super) struct Syncing {
    mailbox: Arc<Mailbox<Order>>,
    status: Signal<SyncStatus>,
    /// The driver knows that there is something to push.
    nudged: AtomicBool,
    on_quarantined: Option<OnQuarantined>,
    worker: Mutex<Option<Worker<Order>>>,
}

/// What the engine wants done that is not the store's, and how it stands.
pub(super) struct Step {
    pub(super) effects: Vec<Effect>,
    pub(super) deadline: Option<Duration>,
    /// Other events came before pending ones.
    pub(super) rebased: bool,
    status: SyncStatus,
    quarantined: Vec<Quarantined>,
}

impl<S: Schema> Store<S> {
    /// How far this store and its backend agree.
    ///
    /// Without a backend, every event counts as confirmed.
    ///
    /// # Errors
    /// When the store is closed.
    pub fn sync_status(&self) -> Result<SyncStatus, EventlogError> {
        self.inner.with_core(Core::sync_status)
    }

    /// The same, as a value that follows. It lags behind commits by moments.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/app/mod.rs"));
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
    pub fn live_sync_status(&self) -> Result<Computed<SyncStatus>, EventlogError> {
        let status = match &self.inner.sync {
            Some(sync) => sync.status.clone(),
            None => signal(self.sync_status()?),
        };
        Ok(computed(move |get| (*get.of(&status)).clone()))
    }

    /// Whether there is a connection to the backend, and if not, why.
    ///
    /// # Errors
    /// When the store is closed.
    pub fn network_status(&self) -> Result<NetworkStatus, EventlogError> {
        Ok(self.sync_status()?.network)
    }

    /// Goes offline, until [`resume_sync`](Self::resume_sync). Commits go on as ever.
    pub fn hold_sync(&self) {
        self.inner.order(Order::Hold);
    }

    /// Connects now: after [`hold_sync`](Self::hold_sync), after a stop, or before the next attempt
    /// is due.
    pub fn resume_sync(&self) {
        self.inner.order(Order::Start);
    }

    /// Waits until nothing is pending and nothing is left to pull; says whether it came to that
    /// within the time.
    ///
    /// # Errors
    /// When the store is closed.
    pub fn wait_synced(&self, timeout: Duration) -> Result<bool, EventlogError> {
        let Some(sync) = &self.inner.sync else { return Ok(true) };
        let changed = Arc::new(Mailbox::new());
        let theirs = Arc::clone(&changed);
        let _guard = sync.status.subscribe(move |_| theirs.put(()));
        let deadline = changed.now() + timeout;
        while !self.sync_status()?.is_synced() {
            match changed.take(Some(deadline)) {
                Mail::Message(()) => {}
                _ => return Ok(self.sync_status()?.is_synced()),
            }
        }
        Ok(true)
    }
}

impl Syncing {
    /// For a store that stands so; [`start`](Self::start) it once the store is there.
    pub(super) fn new(status: SyncStatus, on_quarantined: Option<OnQuarantined>) -> Self {
        Self {
            mailbox: Arc::new(Mailbox::new()),
            status: signal(status),
            nudged: AtomicBool::new(false),
            on_quarantined,
            worker: Mutex::new(None),
        }
    }

    /// Starts the thread that drives the engine.
    pub(super) fn start(
        &self,
        inner: Weak<Inner>,
        hello: ConnectRequest,
        options: &SyncOptions,
    ) -> std::io::Result<()> {
        let mailbox = Arc::clone(&self.mailbox);
        let backend = Arc::clone(&options.backend);
        let mut driver = Driver::new(inner, backend, hello, Arc::clone(&mailbox));
        let worker = Worker::spawn("livestore-sync", mailbox, move |order| driver.turn(order))?;
        self.worker.lock().unwrap_or_else(PoisonError::into_inner).replace(worker);
        if !options.held {
            self.mailbox.put(Order::Start);
        }
        Ok(())
    }

    /// Ends the connection and the thread.
    pub(super) fn close(&self) {
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(worker);
    }
}

impl Inner {
    fn order(&self, order: Order) {
        if let Some(sync) = &self.sync {
            sync.mailbox.put(order);
        }
    }

    /// Tells the driver that something was committed, if it does not know yet.
    pub(super) fn nudge(&self) {
        if let Some(sync) = &self.sync
            && !sync.nudged.swap(true, Ordering::AcqRel)
        {
            sync.mailbox.put(Order::Committed);
        }
    }

    /// Gives the engine an input, and settles what it settles. `None` if the store is closed.
    pub(super) fn step(&self, input: Input, now: Duration) -> Option<Step> {
        if let Some(sync) = &self.sync
            && input == Input::Committed
        {
            sync.nudged.store(false, Ordering::Release);
        }
        let mut core = self.core();
        let open = core.as_mut()?;
        let engine = open.sync.as_mut()?;
        let before = engine.mark();
        let mut wanted = engine.handle(input, now).into_iter();
        let (mut effects, mut quarantined, mut rebased) = (Vec::new(), Vec::new(), false);
        while let Some(effect) = wanted.next() {
            let Effect::Settle(outcome) = effect else {
                effects.push(effect);
                continue;
            };
            rebased |= matches!(outcome, Outcome::Rebase(_));
            match open.settle(&outcome, &self.session_id) {
                Ok(failed) => quarantined.extend(failed),
                // The log is as it was: so is the engine.
                Err(SettleError::Log(error)) => {
                    tracing::warn!(%error, "what the sync backend has settled could not be written");
                    let engine = open.sync.as_mut()?;
                    let failed = engine.unsettled(outcome, before.clone(), error.to_string(), now);
                    wanted = failed.into_iter();
                }
                Err(error) => {
                    tracing::error!(%error, "the store is closed; opening it again makes the state anew");
                    self.lose(&mut core);
                    return None;
                }
            }
        }
        self.tail.advance(open.confirmed_head());
        let deadline = open.sync.as_ref()?.deadline();
        Some(Step { effects, deadline, status: open.sync_status(), quarantined, rebased })
    }

    /// Tells the app how it stands. No lock is held.
    pub(super) fn tell(&self, step: Step) {
        let Some(sync) = &self.sync else { return };
        if let Some(callback) = &sync.on_quarantined {
            let call = || step.quarantined.iter().for_each(callback);
            if catch_unwind(AssertUnwindSafe(call)).is_err() {
                tracing::error!("the callback for quarantined events panicked; sync goes on");
            }
        }
        sync.status.set(step.status);
        deliver();
    }
}

impl Core {
    pub(super) fn sync_status(&self) -> SyncStatus {
        match &self.sync {
            Some(engine) => SyncStatus {
                local_head: engine.state().local_head,
                upstream_head: engine.state().upstream_head,
                pending: engine.state().pending.len(),
                network: engine.network(),
            },
            None => SyncStatus {
                local_head: self.state.head,
                upstream_head: self.state.head,
                pending: 0,
                network: NetworkStatus::None,
            },
        }
    }

    /// The last event that is not pending.
    pub(super) fn confirmed_head(&self) -> SeqNum {
        self.sync.as_ref().map_or(self.state.head, |engine| engine.state().confirmed_head)
    }
}
