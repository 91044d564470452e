use std::sync::Arc;
use std::time::Instant;

use livestore::sync::{SyncError, SyncEvent};
use livestore_sync::wire::Transport;
use tokio::sync::{mpsc, watch};

use super::metrics::Metrics;
use crate::auth::Rights;
use crate::hub::{Page, Room};
use crate::session::{Effect, Session, Ticket};
use crate::store::StoreError;

/// Does what a [`Session`] wants done, except sending.
pub(super) struct Driver {
    session: Session,
    room: Arc<Room>,
    metrics: Arc<Metrics>,
    news: watch::Receiver<u64>,
    answer: mpsc::UnboundedSender<Answer>,
    /// As many as requests are unfinished at most.
    answers: mpsc::UnboundedReceiver<Answer>,
}

/// What is left to whoever holds the connection.
pub(super) enum Step {
    Send(String),
    Close(String),
}

enum Answer {
    Appended(Ticket, Result<(), StoreError>),
    Compared(Ticket, Result<bool, StoreError>),
    Read(Ticket, Box<Result<Page, StoreError>>),
}

impl Driver {
    pub(super) fn new(
        room: Arc<Room>,
        transport: Transport,
        rights: Rights,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (answer, answers) = mpsc::unbounded_channel();
        let news = room.watch();
        let session = Session::new(Arc::clone(&room), transport, rights);
        Self { session, room, metrics, news, answer, answers }
    }

    /// Takes a frame.
    pub(super) fn receive(&mut self, frame: &str) {
        self.metrics.frames_received_total.add(1);
        self.metrics.bytes_received_total.add(frame.len() as u64);
        self.session.receive(frame);
    }

    /// The next step that can be done now.
    pub(super) fn step(&mut self) -> Option<Step> {
        loop {
            match self.session.next_effect()? {
                Effect::Send(frame) => {
                    self.metrics.frames_sent_total.add(1);
                    self.metrics.bytes_sent_total.add(frame.len() as u64);
                    return Some(Step::Send(frame));
                }
                Effect::Close(reason) => return Some(Step::Close(reason)),
                Effect::Append { ticket, batch } => self.append(ticket, &batch),
                Effect::Compare { ticket, batch } => {
                    self.ask(move |room| Answer::Compared(ticket, room.has(&batch)));
                }
                Effect::Read { ticket, after } => {
                    self.metrics.pages_read_total.add(1);
                    self.ask(move |room| Answer::Read(ticket, Box::new(room.read(after))));
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
                Answer::Compared(ticket, result) => self.session.compared(ticket, result),
                Answer::Read(ticket, page) => self.session.read(ticket, *page),
            },
            // The driver holds the room, so this fails never.
            _ = self.news.changed() => {}
        }
    }

    pub(super) fn acknowledge_all(&mut self) {
        self.session.acknowledge_all();
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

    fn append(&self, ticket: Ticket, batch: &[SyncEvent]) {
        let (answer, metrics) = (self.answer.clone(), Arc::clone(&self.metrics));
        let (begun, events) = (Instant::now(), batch.len());
        let reply = move |result: Result<(), StoreError>| {
            metrics.pushed(begun.elapsed(), result.is_ok(), events);
            // Nobody listens any more when the connection is gone.
            let _ = answer.send(Answer::Appended(ticket, result));
        };
        self.room.append(batch, livestore::now(), Box::new(reply));
    }

    fn ask(&self, question: impl FnOnce(&Room) -> Answer + Send + 'static) {
        let (answer, room) = (self.answer.clone(), Arc::clone(&self.room));
        tokio::task::spawn_blocking(move || {
            let _ = answer.send(question(&room));
        });
    }
}
