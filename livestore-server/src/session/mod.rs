//! The protocol on one client's connection, without the connection.
//!
//! A [`Session`] receives frames ([`receive`](Session::receive)) and the answers of its room, and
//! returns what is to be done ([`next_effect`](Session::next_effect)). It has no socket, clock or
//! thread, so that a simulator can drive it as a server does. It computes nothing in advance: its
//! driver asks for the next frame when the last one has been sent, so a slow client costs no memory.

mod pull;
mod push;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use livestore_protocol::{
    Call, ClientMessage, Exit, Request, RequestId, ServerMessage, SyncError, Timestamp, Transport,
    WireError, write_chunk,
};

use self::pull::{Pull, Step};
use crate::auth::Rights;
use crate::hub::{Page, Room};
use crate::store::{StoreError, StoredEvent};

/// The most unfinished requests of a connection.
const MAX_UNFINISHED: usize = 64;

/// One client's connection to one store.
pub struct Session {
    room: Arc<Room>,
    transport: Transport,
    rights: Rights,
    unfinished: Vec<Unfinished>,
    tickets: u64,
    effects: VecDeque<Effect>,
    refusals: Vec<Refusal>,
    ended: bool,
}

/// Work that a session needs done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Send this frame.
    Send(String),
    /// [Append](Room::append) these events, and pass the result to [`Session::pushed`].
    Append {
        /// The push.
        ticket: Ticket,
        /// Its events.
        batch: Arc<[StoredEvent]>,
    },
    /// Find out whether the store [has](Room::has) these events, and pass the result to
    /// [`Session::compared`].
    Compare {
        /// The push.
        ticket: Ticket,
        /// Its events.
        batch: Arc<[StoredEvent]>,
    },
    /// [Read](Room::read) the page after an event, and pass it to [`Session::read`].
    Read {
        /// The pull.
        ticket: Ticket,
        /// The event.
        after: u64,
        /// The most bytes of the page, if it has several events.
        max_bytes: usize,
    },
    /// Close the connection, for this reason.
    Close(String),
}

/// Identifies a request within the server. A client may reuse the id of a request that has ended; the
/// result of the first one must not be taken for that of the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket(u64);

struct Unfinished {
    ticket: Ticket,
    id: RequestId,
    work: Work,
}

enum Work {
    Pull(Pull),
    Push(Arc<[StoredEvent]>),
    /// A push that is stored or refused, but not answered yet.
    Decided(Answer),
}

/// The answer to a push, which follows behind events.
struct Answer {
    /// The last of these events.
    behind: u64,
    exit: Exit,
}

/// Something that was refused, and why, for the operator.
pub(crate) enum Refusal {
    /// A push.
    Push(String),
    /// A different request, or a malformed frame.
    Request(String),
}

impl Session {
    /// Returns the session of a connection that was just made.
    pub fn new(room: Arc<Room>, transport: Transport, rights: Rights) -> Self {
        Self {
            room,
            transport,
            rights,
            unfinished: Vec::new(),
            tickets: 0,
            effects: VecDeque::new(),
            refusals: Vec::new(),
            ended: false,
        }
    }

    /// Receives a frame at the time `now`, which becomes that of the events in it. Whatever the
    /// frame holds, the session goes on.
    pub fn receive(&mut self, text: &str, now: Timestamp) {
        if self.ended {
            return;
        }
        match ClientMessage::decode(text) {
            Ok(ClientMessage::Ping) => self.send(&ServerMessage::Pong),
            Ok(ClientMessage::Request(request)) => self.start(request, now),
            Ok(ClientMessage::Ack(id)) => self.acknowledge(&id, now),
            Ok(ClientMessage::Interrupt(id)) => self.interrupt(&id),
            Ok(ClientMessage::Eof) => {}
            Err(WireError::Unfit { request_id, tag, problem }) => {
                let failure = SyncError::Invalid(problem);
                if tag.ends_with("Push") {
                    self.refuse_push(request_id, failure);
                } else {
                    self.refuse(request_id, failure);
                }
            }
            Err(error) => {
                let problem = error.to_string();
                self.refusals.push(Refusal::Request(problem.clone()));
                self.send(&ServerMessage::Defect(problem));
            }
        }
    }

    /// Returns the next effect, or [`None`] until the session receives more, or its room has new events.
    pub fn next_effect(&mut self) -> Option<Effect> {
        if let Some(effect) = self.effects.pop_front() {
            return Some(effect);
        }
        self.next_of_pulls().or_else(|| {
            self.answer_decided();
            self.effects.pop_front()
        })
    }

    fn next_of_pulls(&mut self) -> Option<Effect> {
        let room = &self.room;
        self.unfinished.iter_mut().find_map(|unfinished| match &mut unfinished.work {
            Work::Pull(pull) => match pull.next(room)? {
                Step::Send(page) => Some(chunk(&unfinished.id, &page)),
                Step::Read { after, max_bytes } => {
                    Some(Effect::Read { ticket: unfinished.ticket, after, max_bytes })
                }
            },
            Work::Push(_) | Work::Decided(_) => None,
        })
    }

    /// Answers the pushes whose events this client's live pulls have sent.
    ///
    /// So a client receives its own events before the answer, and events that came first before the
    /// refusal, as from LiveStore's backend. A pull that still waits for an acknowledgement is not
    /// waited for.
    fn answer_decided(&mut self) {
        let works = || self.unfinished.iter().map(|unfinished| &unfinished.work);
        let sent = works().filter_map(|work| match work {
            Work::Pull(pull) => pull.sent_live(),
            Work::Push(_) | Work::Decided(_) => None,
        });
        let sent = sent.min().unwrap_or(u64::MAX);
        let answered = self.unfinished.extract_if(
            ..,
            |unfinished| matches!(&unfinished.work, Work::Decided(answer) if answer.behind <= sent),
        );
        for Unfinished { id, work, .. } in answered.collect::<Vec<_>>() {
            if let Work::Decided(answer) = work {
                self.exit(id, answer.exit);
            }
        }
    }

    /// Receives the result of [`Effect::Append`].
    pub fn pushed(&mut self, ticket: Ticket, appended: Result<(), StoreError>) {
        let Some((request, batch)) = self.push(ticket) else { return };
        match appended {
            Ok(()) => self.stored(ticket, &batch),
            // It may be a batch that was accepted, and whose answer got lost.
            Err(StoreError::Behind { head })
                if batch.last().is_some_and(|last| last.event().seq <= head) =>
            {
                self.effects.push_back(Effect::Compare { ticket, batch });
            }
            Err(StoreError::Behind { head }) => self.behind(ticket, &batch, head),
            Err(error) => self.refuse_push(request, push::failure(&error, &batch)),
        }
    }

    /// Receives the refusal of a push that is not appended.
    pub(crate) fn refused(&mut self, ticket: Ticket, reason: SyncError) {
        if let Some((request, _)) = self.push(ticket) {
            self.refuse_push(request, reason);
        }
    }

    /// Receives the result of [`Effect::Compare`].
    pub fn compared(&mut self, ticket: Ticket, same: Result<bool, StoreError>) {
        let Some((request, batch)) = self.push(ticket) else { return };
        match same {
            Ok(true) => self.stored(ticket, &batch),
            Ok(false) => self.behind(ticket, &batch, self.room.head()),
            Err(error) => self.refuse_push(request, push::failure(&error, &batch)),
        }
    }

    /// Receives the result of [`Effect::Read`].
    pub fn read(&mut self, ticket: Ticket, page: Result<Page, StoreError>) {
        let found = self.unfinished.iter_mut().find(|unfinished| unfinished.ticket == ticket);
        let Some(Unfinished { id, work: Work::Pull(pull), .. }) = found else { return };
        match page {
            Ok(page) => {
                pull.sent(&page);
                let chunk = chunk(id, &page);
                self.effects.push_back(chunk);
            }
            Err(error) => {
                let (id, failure) = (id.clone(), pull.failure(&error));
                self.fail_pull(id, failure);
            }
        }
    }

    /// Acknowledges all chunks that were sent, at the time `now`, because a client over HTTP cannot.
    pub fn acknowledge_all(&mut self, now: Timestamp) {
        let ids: Vec<_> = self.unfinished.iter().map(|unfinished| unfinished.id.clone()).collect();
        ids.iter().for_each(|id| self.acknowledge(id, now));
    }

    /// Takes what was refused since the last call.
    pub(crate) fn take_refusals(&mut self) -> Vec<Refusal> {
        std::mem::take(&mut self.refusals)
    }

    /// Returns whether there is nothing left to do.
    pub fn is_idle(&self) -> bool {
        self.unfinished.is_empty() && self.effects.is_empty()
    }

    /// Returns whether the client waits for the answer to a push.
    pub fn is_pushing(&self) -> bool {
        self.unfinished.iter().any(|unfinished| !matches!(unfinished.work, Work::Pull(_)))
    }

    /// Ends every request, and then the connection.
    ///
    /// LiveStore's client ends a pull for good upon a failure, but starts it again when its
    /// connection has ended. So only a refusal is an answer to a pull: trying again would not help.
    pub fn end(&mut self, reason: SyncError) {
        let is_refusal = matches!(reason, SyncError::Refused(_));
        for Unfinished { id, work, .. } in std::mem::take(&mut self.unfinished) {
            match work {
                Work::Decided(answer) => self.exit(id, answer.exit),
                Work::Pull(_) if !is_refusal && self.transport == Transport::WebSocket => {}
                Work::Pull(_) | Work::Push(_) => self.fail(id, reason.clone()),
            }
        }
        let reason = match reason {
            SyncError::Failed(problem) => problem,
            other => other.to_string(),
        };
        self.effects.push_back(Effect::Close(reason));
        self.ended = true;
    }

    fn start(&mut self, Request { id, call }: Request, now: Timestamp) {
        if self.find(&id).is_some() {
            // For the client an id means one request, so neither can go on.
            let problem = format!("request id {id} was in use; both requests are ended");
            return self.refuse(id, SyncError::Invalid(problem));
        }
        let started = match call {
            _ if self.unfinished.len() >= MAX_UNFINISHED => {
                Err(SyncError::Failed(format!("more than {MAX_UNFINISHED} unfinished requests")))
            }
            Call::Ping(_) => return self.exit(id, Exit::Pong),
            Call::Pull(call) => {
                let live = call.live && self.transport == Transport::WebSocket;
                pull::start(&call, live, self.rights, &self.room, now).map(Work::Pull)
            }
            Call::Push(call) => {
                let stored = |event| StoredEvent::new(event, now);
                match push::check(&call, self.rights, &self.room) {
                    Ok(()) => Ok(Work::Push(call.batch.into_iter().map(stored).collect())),
                    Err(failure) => return self.refuse_push(id, failure),
                }
            }
        };
        match started {
            Ok(Work::Push(batch)) if batch.is_empty() => self.exit(id, Exit::PushDone),
            Ok(work) => self.add(id, work),
            Err(failure) => self.refuse(id, failure),
        }
    }

    fn add(&mut self, id: RequestId, work: Work) {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        if let Work::Push(batch) = &work {
            self.effects.push_back(Effect::Append { ticket, batch: Arc::clone(batch) });
        }
        self.unfinished.push(Unfinished { ticket, id, work });
    }

    fn acknowledge(&mut self, request: &RequestId, now: Timestamp) {
        if let Some(Work::Pull(pull)) = self.find(request)
            && pull.acknowledge(now)
        {
            self.exit(request.clone(), Exit::PullDone);
        }
    }

    fn interrupt(&mut self, request: &RequestId) {
        // A push that has begun cannot be undone: it is answered as it ends.
        if let Some(Work::Pull(_)) = self.find(request) {
            self.exit(request.clone(), Exit::Interrupted);
        }
    }

    fn find(&mut self, request: &RequestId) -> Option<&mut Work> {
        let found = self.unfinished.iter_mut().find(|unfinished| unfinished.id == *request);
        found.map(|unfinished| &mut unfinished.work)
    }

    fn push(&self, ticket: Ticket) -> Option<(RequestId, Arc<[StoredEvent]>)> {
        let found = self.unfinished.iter().find(|unfinished| unfinished.ticket == ticket);
        match found {
            Some(Unfinished { id, work: Work::Push(batch), .. }) => {
                Some((id.clone(), Arc::clone(batch)))
            }
            _ => None,
        }
    }

    /// Notes that the events of a push are stored.
    fn stored(&mut self, ticket: Ticket, batch: &[StoredEvent]) {
        let last = batch.last().map_or(0, |last| last.event().seq);
        self.decide(ticket, Answer { behind: last, exit: Exit::PushDone });
    }

    /// Notes that a push is refused, because others came first, up to `head`.
    fn behind(&mut self, ticket: Ticket, batch: &[StoredEvent], head: u64) {
        let failure = push::failure(&StoreError::Behind { head }, batch);
        // A pull sends no more than the room has.
        let behind = head.min(self.room.head());
        self.decide(ticket, Answer { behind, exit: Exit::Failure(failure) });
    }

    fn decide(&mut self, ticket: Ticket, answer: Answer) {
        let push = self.unfinished.iter_mut().find(|unfinished| unfinished.ticket == ticket);
        if let Some(Unfinished { work, .. }) = push {
            *work = Work::Decided(answer);
        }
    }

    /// Ends a pull that may succeed the next time. On a socket that ends the connection: see
    /// [`end`](Self::end).
    fn fail_pull(&mut self, request: RequestId, failure: SyncError) {
        match self.transport {
            Transport::WebSocket => self.end(failure),
            Transport::Http => self.fail(request, failure),
        }
    }

    /// Fails a push, and notes it for the operator, unless others only came first.
    fn refuse_push(&mut self, request: RequestId, failure: SyncError) {
        if !matches!(failure, SyncError::ServerAhead { .. }) {
            self.refusals.push(Refusal::Push(failure.to_string()));
        }
        self.fail(request, failure);
    }

    /// Fails another request, and notes it for the operator.
    fn refuse(&mut self, request: RequestId, failure: SyncError) {
        self.refusals.push(Refusal::Request(failure.to_string()));
        self.fail(request, failure);
    }

    fn fail(&mut self, request: RequestId, failure: SyncError) {
        self.exit(request, Exit::Failure(failure));
    }

    fn exit(&mut self, request_id: RequestId, exit: Exit) {
        self.unfinished.retain(|unfinished| unfinished.id != request_id);
        self.send(&ServerMessage::Exit { request_id, exit });
    }

    fn send(&mut self, message: &ServerMessage) {
        let mut frame = String::new();
        message.encode(&mut frame);
        self.effects.push_back(Effect::Send(frame));
    }
}

fn chunk(request: &RequestId, page: &Page) -> Effect {
    let json = page.json();
    let mut frame = String::with_capacity(json.len() + 64);
    write_chunk(request, &json, &mut frame);
    Effect::Send(frame)
}
