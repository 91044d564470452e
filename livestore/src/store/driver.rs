//! What drives a store's sync engine, turn by turn, on a thread of its own.

use std::ops::ControlFlow;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::Inner;
use crate::edge::Mailbox;
use crate::sync::engine::{Effect, Input};
use crate::sync::{BackendMessage, ConnectRequest, Connection, MessageSender, Page, SyncBackend};

/// So many pulled events are settled as one, if they are there: the log is written once for all.
const MOST_AT_ONCE: usize = 4_096;

/// The longest time that pulled events gather before they are settled.
const LONGEST_REST: Duration = Duration::from_millis(50);

/// What the driver is told.
pub(super) enum Order {
    Start,
    Hold,
    Committed,
    Heard {
        /// On which of the connections, so far.
        link: u64,
        message: BackendMessage,
    },
}

/// The thread's work: its turns.
pub(super) struct Driver {
    inner: Weak<Inner>,
    backend: Arc<dyn SyncBackend>,
    hello: ConnectRequest,
    mailbox: Arc<Mailbox<Order>>,
    link: Option<Box<dyn Connection>>,
    /// How many connections there were.
    links: u64,
    /// When the engine wants to be called if nothing happens.
    deadline: Option<Duration>,
    /// Until then, pulled events gather: while others write, too, each piece of theirs costs a
    /// rebase. So no more than about half of the time goes there.
    rest: Duration,
}

impl Driver {
    pub(super) fn new(
        inner: Weak<Inner>,
        backend: Arc<dyn SyncBackend>,
        hello: ConnectRequest,
        mailbox: Arc<Mailbox<Order>>,
    ) -> Self {
        let (link, links, deadline, rest) = (None, 0, None, Duration::ZERO);
        Self { inner, backend, hello, mailbox, link, links, deadline, rest }
    }

    /// Takes an order, or notes that it is time; says when it wants to be called again if nothing
    /// happens. Breaks when the store is closed.
    pub(super) fn turn(&mut self, order: Option<Order>) -> ControlFlow<(), Option<Duration>> {
        let input = match order {
            Some(order) => self.input(order),
            None => Some(Input::Tick),
        };
        match input {
            Some(input) => self.step(input),
            None => ControlFlow::Continue(self.deadline),
        }
    }

    fn step(&mut self, input: Input) -> ControlFlow<(), Option<Duration>> {
        let Some(inner) = self.inner.upgrade() else { return ControlFlow::Break(()) };
        let start = self.mailbox.now();
        let Some(mut step) = inner.step(input, start) else { return ControlFlow::Break(()) };
        self.deadline = step.deadline;
        if step.rebased {
            let end = self.mailbox.now();
            self.rest = end + (end - start).min(LONGEST_REST);
        }
        step.effects.drain(..).for_each(|effect| self.carry_out(effect));
        inner.tell(step);
        ControlFlow::Continue(self.deadline)
    }

    fn input(&self, order: Order) -> Option<Input> {
        Some(match order {
            Order::Start => Input::Start,
            Order::Hold => Input::Hold,
            Order::Committed => Input::Committed,
            Order::Heard { link, .. } if link != self.links || self.link.is_none() => return None,
            Order::Heard { message: BackendMessage::Pulled(mut pulled), .. } => {
                self.take_what_follows(&mut pulled);
                Input::Backend(BackendMessage::Pulled(pulled))
            }
            Order::Heard { message, .. } => Input::Backend(message),
        })
    }

    /// Adds pieces that are there already.
    fn take_what_follows(&self, pulled: &mut Page) {
        self.mailbox.rest(self.rest);
        while let Some(Order::Heard { message: BackendMessage::Pulled(next), .. }) =
            self.mailbox.take_if(|order| self.follows(pulled, order))
        {
            pulled.events.extend(next.events);
            pulled.more = next.more;
        }
    }

    fn follows(&self, pulled: &Page, order: &Order) -> bool {
        let Order::Heard { link, message: BackendMessage::Pulled(next) } = order else {
            return false;
        };
        let chained = match (pulled.events.last(), next.events.first()) {
            (Some(last), Some(first)) => first.seq == last.seq + 1,
            _ => false,
        };
        chained
            && *link == self.links
            && pulled.backend_id == next.backend_id
            && pulled.events.len() < MOST_AT_ONCE
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Connect => self.connect(),
            Effect::Disconnect => self.link = None,
            Effect::Pull(cursor) => {
                if let Some(link) = &mut self.link {
                    link.pull(cursor);
                }
            }
            Effect::Push { events, backend_id } => {
                if let Some(link) = &mut self.link {
                    link.push(events, backend_id);
                }
            }
            // The store itself has done it.
            Effect::Settle(_) => {}
        }
    }

    fn connect(&mut self) {
        self.links += 1;
        let (mailbox, link) = (Arc::clone(&self.mailbox), self.links);
        let inbox = MessageSender::new(move |message| mailbox.put(Order::Heard { link, message }));
        // The old link is dropped first.
        self.link = None;
        self.link = Some(self.backend.connect(self.hello.clone(), inbox));
    }
}
