//! Asking the backend for an image.

use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use super::Answer;
use crate::edge::primitives::{Mutex, lock};
use crate::edge::{Mail, Mailbox, files, run_aside};
use crate::event::SeqNum;
use crate::eventlog::{Eventlog, SharedLog};
use crate::schema::SchemaDef;
use crate::store::builder::Options;
use crate::store::open::EVENTLOG;
use crate::sync::{
    ConnectRequest, ImageRequest, PayloadError, PayloadRequest, Secret, SyncOptions,
};

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
        let sync = options.sync.clone()?;
        let timeout = sync.image_wait()?;
        let schema_hash = schema.hash().ok()?;
        if schema.is_untyped() || has_events(options) {
            return None;
        }
        let store_id = options.store_id.clone();
        Some(Self { sync, store_id, schema_hash, max_bytes: options.max_state_bytes, timeout })
    }

    /// Waits for the backend's answer, on this thread.
    pub(in crate::store) fn fetch(self) -> Answer {
        let mailbox = Arc::new(Mailbox::new());
        let deadline = mailbox.now().checked_add(self.timeout);
        let theirs = Arc::clone(&mailbox);
        self.request(move |answer| theirs.put(answer));
        let Mail::Message(answer) = mailbox.take(deadline) else {
            return Err("the image did not come in time".to_owned());
        };
        answer
    }

    /// Waits for the backend's answer in a task: a thread waits meanwhile.
    pub(in crate::store) async fn fetch_aside(self) -> Answer {
        let slot = Arc::new(Slot::default());
        let sender = Sender(Arc::clone(&slot));
        run_aside("livestore-image", move || sender.0.put(self.fetch()));
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

/// Answers for a thread that could not be spawned, or panicked.
struct Sender(Arc<Slot>);

impl Drop for Sender {
    fn drop(&mut self) {
        self.0.put(Err("nobody could wait for the image".to_owned()));
    }
}
