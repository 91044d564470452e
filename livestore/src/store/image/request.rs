//! Asking the backend for an image.

use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use super::Answer;
use crate::edge::files;
use crate::edge::primitives::{Mutex, lock};
#[cfg(not(target_family = "wasm"))]
use crate::edge::{Mail, Mailbox};
use crate::event::SeqNum;
use crate::eventlog::{Eventlog, SharedLog};
use crate::schema::SchemaDef;
use crate::store::builder::Options;
use crate::store::open::EVENTLOG;
use crate::store::timer::after;
use crate::sync::{
    ConnectRequest, ImageRequest, PayloadError, PayloadRequest, Secret, SyncOptions,
};

/// Why there is no image once its time is over.
const LATE: &str = "the image did not come in time";

/// An image that a new store wants.
pub(in crate::store) struct Wanted {
    sync: SyncOptions,
    store_id: String,
    schema_hash: i64,
    max_bytes: u64,
    timeout: Duration,
}

impl Wanted {
    /// What the store wants, if it has no events.
    pub(in crate::store) fn of(options: &Options, schema: &'static SchemaDef) -> Option<Self> {
        let wanted = Self::of_new(options, schema)?;
        (!has_events(options)).then_some(wanted)
    }

    /// What a store wants that has no events.
    pub(in crate::store) fn of_new(options: &Options, schema: &'static SchemaDef) -> Option<Self> {
        let sync = options.sync.clone()?;
        let timeout = sync.image_wait()?;
        let schema_hash = schema.hash().ok()?;
        if schema.is_untyped() {
            return None;
        }
        let store_id = options.store_id.clone();
        Some(Self { sync, store_id, schema_hash, max_bytes: options.max_state_bytes, timeout })
    }

    /// Waits for the backend's answer, on this thread.
    #[cfg(not(target_family = "wasm"))]
    pub(in crate::store) fn fetch(self) -> Answer {
        let mailbox = Arc::new(Mailbox::new());
        let deadline = mailbox.now().checked_add(self.timeout);
        let theirs = Arc::clone(&mailbox);
        self.request(move |answer| theirs.put(answer));
        let Mail::Message(answer) = mailbox.take(deadline) else {
            return Err(LATE.to_owned());
        };
        answer
    }

    /// Waits for the backend's answer in a task.
    pub(in crate::store) async fn fetch_aside(self) -> Answer {
        let slot = Arc::new(Slot::default());
        let (theirs, in_time) = (Arc::clone(&slot), Arc::clone(&slot));
        let timer = after(self.timeout, move || in_time.put(Err(LATE.to_owned())));
        let _timer = timer.map_err(|error| format!("nobody could wait for the image: {error}"))?;
        self.request(move |answer| theirs.put(answer));
        std::future::poll_fn(|context| slot.poll(context.waker())).await
    }

    fn request(self, reply: impl FnOnce(Answer) + Send + 'static) {
        let Self { sync, store_id, schema_hash, max_bytes, timeout } = self;
        let backend = Arc::clone(&sync.backend);
        let ask = move |payload: Result<Option<Secret>, PayloadError>| match payload {
            Ok(payload) => {
                let connect = ConnectRequest::new(store_id, payload);
                let request = ImageRequest { connect, schema_hash, max_bytes, timeout };
                backend.image(request, Box::new(reply));
            }
            Err(error) => reply(Err(error.into_reason())),
        };
        match sync.payload.get() {
            Ok(payload) => ask(Ok(payload)),
            Err(provider) => {
                let given = move |answer: Result<Secret, PayloadError>| ask(answer.map(Some));
                provider.call(PayloadRequest::default(), &*sync.backend, given);
            }
        }
    }
}

/// Whether the store has events already. What cannot be opened is reported when the store is.
fn has_events(options: &Options) -> bool {
    // A store in memory is always new.
    let Ok(folder) = options.folder() else { return false };
    let path = folder.join(EVENTLOG);
    let head = || SharedLog::open(&path).and_then(|log| Eventlog::new(log).head());
    files::exists(&path) && head().is_ok_and(|head| head != SeqNum::ROOT)
}

/// The place of an answer that a task waits for.
#[derive(Default)]
struct Slot(Mutex<(Option<Answer>, Option<Waker>)>);

impl Slot {
    fn put(&self, answer: Answer) {
        let mut slot = lock(&self.0);
        slot.0.get_or_insert(answer);
        if let Some(waker) = slot.1.take() {
            waker.wake();
        }
    }

    fn poll(&self, waker: &Waker) -> Poll<Answer> {
        let mut slot = lock(&self.0);
        match slot.0.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                slot.1 = Some(waker.clone());
                Poll::Pending
            }
        }
    }
}
