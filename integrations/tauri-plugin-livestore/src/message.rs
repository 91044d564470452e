//! What is sent to a page: a live value, and then its changes.

use std::iter;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, TryLockError};

use livestore::live::{Diff, List, LiveQuery, Reactive, Subscription};
use livestore::sync::{NetworkStatus, SyncStatus};
use serde::ser::{Serialize, Serializer};
use tauri::ipc::InvokeResponseBody;

use crate::error::Error;
use crate::pages::Channel;

/// A message about a list: the steps to the new list, and the error while the query fails.
#[derive(serde::Serialize)]
struct ListMessage<'a, T> {
    steps: &'a [Step<T>],
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Error>,
}

/// A message about any other value.
#[derive(serde::Serialize)]
enum ValueMessage<V> {
    #[serde(rename = "value")]
    Value(V),
    #[serde(rename = "error")]
    Error(Error),
}

struct Step<T>(Diff<T>);

/// An array: the kind of the step, the positions, the row.
impl<T: Serialize> Serialize for Step<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Diff::Insert { index, row } => ("insert", index, row).serialize(serializer),
            Diff::Remove { index } => ("remove", index).serialize(serializer),
            Diff::Update { index, row } => ("update", index, row).serialize(serializer),
            Diff::Move { from, to } => ("move", from, to).serialize(serializer),
            Diff::Reset { rows } => ("reset", rows).serialize(serializer),
        }
    }
}

/// Sends the list, and the steps of each change from then on, until the subscription is dropped.
pub(crate) fn show_list<T>(list: LiveQuery<List<T>>, channel: Channel) -> Subscription
where
    T: Serialize + Send + Sync + 'static,
{
    Sender::subscribe(list.clone(), list.diffs(), move |list, diffs| {
        let mut changes = iter::from_fn(|| diffs.try_next()).peekable();
        if changes.peek().is_some() {
            let steps: Vec<_> = changes.flatten().map(Step).collect();
            let error = list.error().map(Error::Query);
            send(&channel, &ListMessage { steps: &steps, error });
        }
    })
}

/// Sends the value, and each new one from then on, until the subscription is dropped.
pub(crate) fn show_value<R>(value: R, channel: Channel) -> Subscription
where
    R: Reactive<Value: Serialize>,
{
    Sender::subscribe(value, None, move |value, sent| {
        // The version first: a value that changes in between is sent twice, and never missed.
        let version = value.version();
        if sent.replace(version) != Some(version) {
            match value.try_get() {
                Ok(value) => send(&channel, &ValueMessage::Value(&*value)),
                Err(error) => send_error(&channel, Error::Query(error)),
            }
        }
    })
}

/// Sends what has not been sent, in order, whatever threads are notified.
///
/// No thread waits for a different thread: to send may mean to wait for the main thread, which may have a change to send.
struct Sender<S, F> {
    is_due: AtomicBool,
    /// What was sent, which `send` continues.
    sent: Mutex<S>,
    send: F,
}

impl<S: Send + 'static, F> Sender<S, F> {
    fn subscribe<R: Reactive>(of: R, sent: S, send: F) -> Subscription
    where
        F: Fn(&R, &mut S) + Send + Sync + 'static,
    {
        let sender =
            Arc::new(Self { is_due: AtomicBool::new(false), sent: Mutex::new(sent), send });
        let subscription = of.subscribe({
            let (of, sender) = (of.clone(), Arc::clone(&sender));
            move |_| sender.notify(&of)
        });
        sender.notify(&of);
        subscription
    }

    fn notify<R>(&self, of: &R)
    where
        F: Fn(&R, &mut S),
    {
        self.is_due.store(true, Ordering::SeqCst);
        while self.is_due.load(Ordering::SeqCst) {
            let mut sent = match self.sent.try_lock() {
                Ok(sent) => sent,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                // Whoever sends looks again afterwards.
                Err(TryLockError::WouldBlock) => return,
            };
            self.is_due.store(false, Ordering::SeqCst);
            (self.send)(of, &mut sent);
        }
    }
}

/// Sends an error that ends what is shown.
pub(crate) fn send_error(channel: &Channel, error: Error) {
    send(channel, &ValueMessage::<()>::Error(error));
}

fn send<M: Serialize>(channel: &Channel, message: &M) {
    let json = to_json(message)
        .or_else(|error| to_json(&ValueMessage::<()>::Error(error)))
        .unwrap_or_default();
    // If the window is gone, its live values are about to end.
    if let Err(error) = channel.send(InvokeResponseBody::Json(json)) {
        tracing::debug!(%error, "a page was not notified");
    }
}

pub(crate) fn to_json<V: Serialize>(value: &V) -> Result<String, Error> {
    Ok(serde_json::to_string(value)?)
}

/// How far the store is synced, for a page.
#[derive(PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncState {
    network: &'static str,
    reason: Option<String>,
    is_synced: bool,
    pending: usize,
    refused: usize,
    next_attempt: Option<livestore::Timestamp>,
}

impl SyncState {
    pub(crate) fn of(status: &SyncStatus) -> Self {
        let (network, reason) = match &status.network {
            NetworkStatus::None => ("none", None),
            NetworkStatus::Paused => ("paused", None),
            NetworkStatus::Connecting => ("connecting", None),
            NetworkStatus::Pulling => ("pulling", None),
            NetworkStatus::Online => ("online", None),
            NetworkStatus::ReadOnly { reason } => ("readOnly", Some(reason.clone())),
            NetworkStatus::LoginRequired { reason } => ("loginRequired", Some(reason.clone())),
            NetworkStatus::PayloadFailed { reason } => ("payloadFailed", Some(reason.clone())),
            NetworkStatus::Offline { reason } => ("offline", Some(reason.clone())),
            NetworkStatus::Stopped(reason) => ("stopped", Some(reason.to_string())),
            other => ("other", Some(other.to_string())),
        };
        Self {
            network,
            reason,
            is_synced: status.is_synced(),
            pending: status.pending,
            refused: status.refused,
            next_attempt: status.next_attempt,
        }
    }
}
