//! The receipt of a commit: the numbers that its events have, and a way to wait for those that they get in
//! the backend's order.

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
#[cfg(not(target_family = "wasm"))]
use std::{task::Wake, time::Duration};

use super::error::ConfirmError;
use super::{Committed, Inner};
#[cfg(not(target_family = "wasm"))]
use crate::ambient::{Impurity, is_impure};
#[cfg(not(target_family = "wasm"))]
use crate::edge::{Mail, Mailbox};

/// The receipt of a commit. It has the numbers that the events got here and now, and says later what
/// became of them.
///
/// A commit is done when it returns. Nobody has to look at its receipt, and one that is dropped costs
/// nothing. But with a sync backend, the events are *pending* at first: others' events may come before
/// them, an event may not apply behind those, or the backend may refuse the commit.
/// [`confirmed`](Self::confirmed) waits for that to be decided.
///
/// ```
/// # use livestore::prelude::*;
/// # use livestore_testing::sample::todos::*;
/// # async fn complete(store: &Store<App>) -> livestore::Result<()> {
/// let receipt = store.commit(TodoEvent::Completed { id: "a".into() })?;
/// println!("done here, as {:?}", receipt.last());
/// let confirmed = receipt.confirmed().await?;
/// println!("in the backend's order, as {:?}", confirmed.last());
/// # Ok(())
/// # }
/// ```
///
/// A receipt is of this opening of the store. If the store is closed first, waiting ends with
/// [`ConfirmError::Closed`]; the events stay in the log, and are pushed after the next opening.
#[derive(Clone)]
pub struct Receipt {
    committed: Committed,
    /// `None` if the events were confirmed at once.
    outcome: Option<Arc<Outcome>>,
    #[cfg_attr(target_family = "wasm", allow(dead_code, reason = "no thread waits there"))]
    store: Weak<Inner>,
}

/// What became of a commit, once that is decided.
#[derive(Debug, Default)]
pub(super) struct Outcome(Mutex<Decision>);

#[derive(Debug, Default)]
struct Decision {
    result: Option<Result<Committed, ConfirmError>>,
    wakers: Vec<Waker>,
}

impl Receipt {
    pub(super) fn new(committed: Committed, outcome: Option<Arc<Outcome>>) -> Self {
        Self { committed, outcome, store: Weak::new() }
    }

    /// The same, of this store.
    pub(super) fn of(self, store: &Arc<Inner>) -> Self {
        match self.outcome {
            Some(_) => Self { store: Arc::downgrade(store), ..self },
            None => self,
        }
    }

    /// Returns the numbers alone.
    pub fn into_committed(self) -> Committed {
        self.committed
    }

    /// Waits, without blocking the thread, until the events have their places in the backend's order.
    /// Returns the numbers that they have there; they differ from those of the receipt if others' events
    /// came first.
    ///
    /// Without a backend, events are confirmed as soon as they are committed; so are client-only ones
    /// that no pending event comes before. It needs no particular runtime. It waits for as long as it
    /// takes, which offline is long: give it a time-out with your runtime's, such as
    /// `tokio::time::timeout`.
    ///
    /// It works in every session of the client, whoever of them has the connection.
    ///
    /// # Errors
    /// When the commit was refused or quarantined, or the store was closed: see [`ConfirmError`].
    pub fn confirmed(&self) -> Confirmed {
        Confirmed {
            state: match &self.outcome {
                Some(outcome) => Waiting::For(Arc::clone(outcome)),
                None => Waiting::Done(self.committed.clone()),
            },
        }
    }

    /// Waits as [`confirmed`](Self::confirmed) does, but blocks the thread, for at most this long.
    /// Returns `None` if the time is over first.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::todos::*;
    /// use std::time::Duration;
    ///
    /// # fn main() -> livestore::Result<()> {
    /// let store = Store::<App>::builder("todos").open()?;
    /// let receipt = store.commit(TodoEvent::Completed { id: "a".into() })?;
    /// match receipt.wait_confirmed(Duration::from_secs(5))? {
    ///     Some(confirmed) => assert_eq!(confirmed.last(), Some(SeqNum::new(1))),
    ///     None => println!("not yet: this device is offline"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`ConfirmError`]. It fails at once in a materializer, and where the backend's connections run
    /// on this very thread.
    #[cfg(not(target_family = "wasm"))]
    pub fn wait_confirmed(&self, timeout: Duration) -> Result<Option<Committed>, ConfirmError> {
        if is_impure(Impurity::Store) {
            return Err(ConfirmError::InMaterializer);
        }
        let Some(outcome) = &self.outcome else { return Ok(Some(self.committed.clone())) };
        let mailbox = Arc::new(Mailbox::new());
        // One that is beyond all time is none.
        let deadline = mailbox.now().checked_add(timeout);
        let waker = Waker::from(Arc::new(WakeMailbox(Arc::clone(&mailbox))));
        loop {
            if let Some(result) = outcome.result_or_wake(&waker) {
                return result.map(Some);
            }
            self.check_may_wait()?;
            match mailbox.take(deadline) {
                Mail::Message(()) => {}
                _ => return outcome.result_or_wake(&waker).transpose(),
            }
        }
    }

    #[cfg(not(target_family = "wasm"))]
    fn check_may_wait(&self) -> Result<(), ConfirmError> {
        let Some(store) = self.store.upgrade() else { return Ok(()) };
        match store.sync.as_ref().and_then(super::sync::Syncing::blocked_by_waiting) {
            Some(reason) => Err(ConfirmError::WouldBlock { reason }),
            None => Ok(()),
        }
    }
}

impl Deref for Receipt {
    type Target = Committed;

    fn deref(&self) -> &Committed {
        &self.committed
    }
}

/// Receipts are equal if their numbers are.
impl PartialEq for Receipt {
    fn eq(&self, other: &Self) -> bool {
        self.committed == other.committed
    }
}

impl Eq for Receipt {}

impl From<Receipt> for Committed {
    fn from(receipt: Receipt) -> Self {
        receipt.committed
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Receipt").field(&self.committed).finish()
    }
}

impl Outcome {
    /// Decides it, and wakes those who wait. What is decided stays.
    pub(super) fn decide(&self, result: Result<Committed, ConfirmError>) {
        let mut decision = self.decision();
        decision.result.get_or_insert(result);
        let wakers = std::mem::take(&mut decision.wakers);
        drop(decision);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Why the commit was not done for good, if that is decided.
    pub(super) fn failure(&self) -> Option<ConfirmError> {
        self.decision().result.as_ref()?.as_ref().err().cloned()
    }

    /// The result, or `None`: then the waker is woken once there is one.
    fn result_or_wake(&self, waker: &Waker) -> Option<Result<Committed, ConfirmError>> {
        let mut decision = self.decision();
        if decision.result.is_none()
            && !decision.wakers.iter().any(|waiting| waiting.will_wake(waker))
        {
            decision.wakers.push(waker.clone());
        }
        decision.result.clone()
    }

    fn decision(&self) -> MutexGuard<'_, Decision> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A future that is ready when it is decided what became of a commit, made by [`Receipt::confirmed`]. It
/// does not keep the store open.
#[must_use = "futures do nothing unless they are awaited"]
pub struct Confirmed {
    state: Waiting,
}

enum Waiting {
    Done(Committed),
    For(Arc<Outcome>),
}

impl Future for Confirmed {
    type Output = Result<Committed, ConfirmError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &self.state {
            Waiting::Done(committed) => Poll::Ready(Ok(committed.clone())),
            Waiting::For(outcome) => match outcome.result_or_wake(context.waker()) {
                Some(result) => Poll::Ready(result),
                None => Poll::Pending,
            },
        }
    }
}

impl fmt::Debug for Confirmed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confirmed").finish_non_exhaustive()
    }
}

/// Wakes a thread that waits for a message.
#[cfg(not(target_family = "wasm"))]
struct WakeMailbox(Arc<Mailbox<()>>);

#[cfg(not(target_family = "wasm"))]
impl Wake for WakeMailbox {
    fn wake(self: Arc<Self>) {
        self.0.put(());
    }
}
