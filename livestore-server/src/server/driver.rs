use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use livestore_protocol::{More, SyncError, Transport};
use tokio::sync::{mpsc, watch};

use super::Backend;
use super::extension::{Decision, Extension, OfferedPush};
use super::metrics::Metrics;
use super::trace;
use crate::auth::{Grant, Identity};
use crate::edge;
use crate::hub::{Page, Room};
use crate::session::{Effect, Refusal, Session, Ticket};
use crate::store::{StoreError, StoredEvent};

/// Carries out the effects of a [`Session`], except sending.
pub(super) struct Driver {
    session: Session,
    room: Arc<Room>,
    metrics: Arc<Metrics>,
    identity: Identity,
    extension: Option<Arc<dyn Extension>>,
    head: watch::Receiver<u64>,
    lost: watch::Receiver<Option<StoreError>>,
    answer: mpsc::UnboundedSender<Answer>,
    /// At most one for each unfinished request.
    answers: mpsc::UnboundedReceiver<Answer>,
    /// When the pulls that read from the disk began to.
    pulls: HashMap<Ticket, Instant>,
}

/// A step that is left to the owner of the connection.
pub(super) enum Step {
    Send(String),
    Close(String),
}

enum Answer {
    Appended(Ticket, Result<(), StoreError>),
    Refused(Ticket, SyncError),
    Compared(Ticket, Result<bool, StoreError>),
    Read(Ticket, Box<Result<Page, StoreError>>),
}

impl Driver {
    pub(super) fn new(
        backend: &Backend,
        room: Arc<Room>,
        transport: Transport,
        grant: &Grant,
    ) -> Self {
        let (answer, answers) = mpsc::unbounded_channel();
        let (head, lost) = (room.watch(), room.watch_lost());
        let session = Session::new(Arc::clone(&room), transport, grant.rights);
        let (identity, metrics) = (grant.identity.clone(), Arc::clone(&backend.metrics));
        let extension = backend.extension.clone();
        Self {
            session,
            room,
            metrics,
            identity,
            extension,
            head,
            lost,
            answer,
            answers,
            pulls: HashMap::new(),
        }
    }

    /// Receives a frame.
    pub(super) fn receive(&mut self, frame: &str) {
        self.metrics.frames_received_total.add(1);
        self.metrics.bytes_received_total.add(frame.len() as u64);
        self.session.receive(frame, edge::now());
    }

    /// Returns the next step, if there is one now.
    pub(super) fn step(&mut self) -> Option<Step> {
        let store = self.room.id();
        for refusal in self.session.take_refusals() {
            match refusal {
                Refusal::Push(reason) => {
                    self.metrics.pushes_refused_total.add(1);
                    tracing::warn!(%store, reason, "refused a push");
                }
                Refusal::Request(reason) => {
                    self.metrics.requests_refused_total.add(1);
                    tracing::warn!(%store, reason, "refused a request");
                }
            }
        }
        loop {
            match self.session.next_effect()? {
                Effect::Send(frame) => {
                    self.metrics.frames_sent_total.add(1);
                    self.metrics.bytes_sent_total.add(frame.len() as u64);
                    return Some(Step::Send(frame));
                }
                Effect::Close(reason) => return Some(Step::Close(reason)),
                Effect::Append { ticket, batch } => self.push(ticket, batch),
                Effect::Compare { ticket, batch } => {
                    self.spawn_blocking(move |room| Answer::Compared(ticket, room.has(&batch)));
                }
                Effect::Read { ticket, after, max_bytes } => {
                    self.pulls.entry(ticket).or_insert_with(Instant::now);
                    let metrics = Arc::clone(&self.metrics);
                    self.spawn_blocking(move |room| {
                        let begun = Instant::now();
                        let page = room.read(after, max_bytes);
                        metrics.page_read(begun.elapsed(), page.as_ref().ok());
                        Answer::Read(ticket, Box::new(page))
                    });
                }
            }
        }
    }

    /// Waits until there may be another step. It may be dropped and called again.
    pub(super) async fn wait(&mut self) {
        tokio::select! {
            // The driver holds a sender, so this never ends.
            Some(answer) = self.answers.recv() => match answer {
                Answer::Appended(ticket, result) => self.session.pushed(ticket, result),
                Answer::Refused(ticket, reason) => self.session.refused(ticket, reason),
                Answer::Compared(ticket, result) => self.session.compared(ticket, result),
                Answer::Read(ticket, page) => {
                    let is_last = (*page).as_ref().map_or(true, |page| page.more == More::No);
                    if is_last && let Some(begun) = self.pulls.remove(&ticket) {
                        self.metrics.caught_up(begun.elapsed());
                    }
                    self.session.read(ticket, *page);
                }
            },
            // The driver holds the room, so this never fails.
            _ = self.head.changed() => {}
            _ = self.lost.changed() => {
                if let Some(error) = self.lost.borrow_and_update().clone() {
                    self.session.end(SyncError::Failed(error.to_string()));
                }
            }
        }
    }

    pub(super) fn acknowledge_all(&mut self) {
        self.session.acknowledge_all(edge::now());
    }

    pub(super) fn end(&mut self, reason: SyncError) {
        self.session.end(reason);
    }

    pub(super) fn is_idle(&self) -> bool {
        self.session.is_idle()
    }

    pub(super) fn is_pushing(&self) -> bool {
        self.session.is_pushing()
    }

    fn push(&self, ticket: Ticket, batch: Arc<[StoredEvent]>) {
        let (room, answer) = (Arc::clone(&self.room), self.answer.clone());
        let append = Append { room, answer, metrics: Arc::clone(&self.metrics), ticket };
        let Some(extension) = self.extension.clone() else { return append.run(batch, None) };
        let (store, identity) = (self.room.id().clone(), self.identity.clone());
        let push = OfferedPush { store, batch: Arc::clone(&batch), identity };
        tokio::spawn(async move {
            match extension.check(push).await {
                Decision::Store => append.run(batch, Some(extension)),
                Decision::Behind { head } => append.behind(head),
                Decision::Refuse(reason) => append.refuse(reason),
            }
        });
    }

    fn spawn_blocking(&self, question: impl FnOnce(&Room) -> Answer + Send + 'static) {
        let (answer, room) = (self.answer.clone(), Arc::clone(&self.room));
        tokio::task::spawn_blocking(move || {
            let _ = answer.send(question(&room));
        });
    }
}

/// A push that is to be stored, and whoever waits for the answer.
struct Append {
    room: Arc<Room>,
    answer: mpsc::UnboundedSender<Answer>,
    metrics: Arc<Metrics>,
    ticket: Ticket,
}

impl Append {
    fn run(self, batch: Arc<[StoredEvent]>, extension: Option<Arc<dyn Extension>>) {
        let (begun, events) = (Instant::now(), batch.len());
        let spans = trace::append(self.room.id().as_str(), &batch);
        let room = Arc::clone(&self.room);
        room.append(batch, move |result| {
            trace::end(spans, result.is_ok());
            self.metrics.pushed(begun.elapsed(), result.is_ok(), events);
            if let (Ok(()), Some(extension)) = (&result, extension) {
                extension.stored(self.room.id());
            }
            self.answer(result);
        });
    }

    /// Answers as the storage does whose last event is another one.
    fn behind(&self, head: u64) {
        self.room.advance(head);
        self.answer(Err(StoreError::Behind { head }));
    }

    // Nobody receives an answer any more if the connection has ended.

    fn answer(&self, result: Result<(), StoreError>) {
        let _ = self.answer.send(Answer::Appended(self.ticket, result));
    }

    fn refuse(&self, reason: SyncError) {
        let _ = self.answer.send(Answer::Refused(self.ticket, reason));
    }
}
