use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use livestore::sync::{BackendMessage, Cursor, MessageSender, More, Page, SyncError, SyncEvent};

use super::NextPush;
use super::log::Log;
use crate::wire::MAX_EVENTS;

/// What the backend knows. Nothing is told in here: messages are put into a queue.
pub(super) struct State {
    backend_id: String,
    logs: BTreeMap<String, Log>,
    /// In the order in which they were made.
    links: BTreeMap<u64, Linked>,
    links_made: u64,
    online: bool,
    next_push: Option<NextPush>,
    queue: VecDeque<Queued>,
    telling: bool,
}

/// A store that is connected.
struct Linked {
    store_id: String,
    inbox: MessageSender,
    /// Whether it hears of new events.
    pulls: bool,
}

struct Queued {
    link: u64,
    inbox: MessageSender,
    message: BackendMessage,
}

impl Default for State {
    fn default() -> Self {
        Self {
            backend_id: livestore::new_id(),
            logs: BTreeMap::new(),
            links: BTreeMap::new(),
            links_made: 0,
            online: true,
            next_push: None,
            queue: VecDeque::new(),
            telling: false,
        }
    }
}

/// What stores ask for.
impl State {
    pub(super) fn connect(&mut self, store_id: String, inbox: MessageSender) -> u64 {
        let link = self.links_made;
        self.links_made += 1;
        self.links.insert(link, Linked { store_id, inbox, pulls: false });
        if self.online {
            self.tell(link, BackendMessage::Connected);
        } else {
            self.lose(link, "the backend is offline");
        }
        link
    }

    /// Nothing is told to a link that is dropped.
    pub(super) fn disconnect(&mut self, link: u64) {
        self.links.remove(&link);
        self.queue.retain(|queued| queued.link != link);
    }

    pub(super) fn pull(&mut self, link: u64, cursor: Option<Cursor>) {
        if let Err(failure) = self.check_id(cursor.as_ref().map(|cursor| &cursor.backend_id)) {
            let reason = failure.to_string();
            self.tell(link, BackendMessage::PullFailed(failure));
            return self.lose(link, &reason);
        }
        let Some(linked) = self.links.get_mut(&link) else { return };
        linked.pulls = true;
        let store_id = linked.store_id.clone();
        let mut events = self.events(&store_id);
        events.retain(|event| cursor.as_ref().is_none_or(|cursor| event.seq > cursor.head));
        for page in self.pages(events) {
            self.tell(link, BackendMessage::Pulled(page));
        }
    }

    pub(super) fn push(&mut self, link: u64, batch: &[SyncEvent], backend_id: Option<&String>) {
        let Some(store_id) = self.links.get(&link).map(|linked| linked.store_id.clone()) else {
            return;
        };
        let fate = self.next_push.take();
        match fate {
            Some(NextPush::Fail) => {
                let failure = SyncError::Failed("as the test wants".to_owned());
                return self.tell(link, BackendMessage::PushFailed(failure));
            }
            Some(NextPush::Lose) => return self.lose(link, "lost before the push"),
            _ => {}
        }
        let log = self.logs.entry(store_id.clone()).or_default();
        let taken = check_id(&self.backend_id, backend_id).and_then(|()| log.append(batch));
        match (taken, fate) {
            (Err(failure), _) => self.tell(link, BackendMessage::PushFailed(failure)),
            (Ok(new), None) => {
                self.broadcast(&store_id, new);
                self.tell(link, BackendMessage::Pushed);
            }
            (Ok(new), Some(fate)) => {
                if fate == NextPush::LoseBroadcast {
                    self.tell(link, BackendMessage::Pushed);
                }
                self.lose(link, "lost after the push");
                self.broadcast(&store_id, new);
            }
        }
    }
}

/// What a test asks for.
impl State {
    pub(super) fn set_online(&mut self, online: bool) {
        self.online = online;
        if !online {
            self.lose_all("the backend goes offline");
        }
    }

    pub(super) fn on_next_push(&mut self, next: NextPush) {
        self.next_push = Some(next);
    }

    pub(super) fn reset(&mut self) {
        self.lose_all("the backend is reset");
        self.logs.clear();
        self.backend_id = livestore::new_id();
    }

    pub(super) fn backend_id(&self) -> String {
        self.backend_id.clone()
    }

    pub(super) fn events(&self, store_id: &str) -> Vec<SyncEvent> {
        self.logs.get(store_id).map(|log| log.events().to_vec()).unwrap_or_default()
    }
}

/// Telling.
impl State {
    /// Whether the caller is the one who tells, until [`next_message`](Self::next_message) has none.
    pub(super) fn start_telling(&mut self) -> bool {
        !std::mem::replace(&mut self.telling, true)
    }

    pub(super) fn next_message(&mut self) -> Option<(MessageSender, BackendMessage)> {
        let next = self.queue.pop_front();
        self.telling = next.is_some();
        next.map(|queued| (queued.inbox, queued.message))
    }

    fn tell(&mut self, link: u64, message: BackendMessage) {
        if let Some(linked) = self.links.get(&link) {
            let inbox = linked.inbox.clone();
            self.queue.push_back(Queued { link, inbox, message });
        }
    }

    fn lose(&mut self, link: u64, reason: &str) {
        self.tell(link, BackendMessage::Disconnected { reason: reason.to_owned() });
        self.links.remove(&link);
    }

    fn lose_all(&mut self, reason: &str) {
        let links: Vec<u64> = self.links.keys().copied().collect();
        links.into_iter().for_each(|link| self.lose(link, reason));
    }

    fn broadcast(&mut self, store_id: &str, events: Vec<SyncEvent>) {
        if events.is_empty() {
            return;
        }
        let hears = |linked: &Linked| linked.pulls && linked.store_id == store_id;
        let links: Vec<u64> =
            self.links.iter().filter(|(_, linked)| hears(linked)).map(|(&link, _)| link).collect();
        for link in links {
            self.tell(link, BackendMessage::Pulled(self.page(events.clone(), More::No)));
        }
    }

    /// The events in pieces as a server sends them; there is always one.
    fn pages(&self, events: Vec<SyncEvent>) -> Vec<Page> {
        let mut left = events.len();
        let mut pages: Vec<Page> = events
            .chunks(MAX_EVENTS)
            .map(|piece| {
                left -= piece.len();
                let more = if left == 0 { More::No } else { More::Known(left as u64) };
                self.page(piece.to_vec(), more)
            })
            .collect();
        if pages.is_empty() {
            pages.push(self.page(Vec::new(), More::No));
        }
        pages
    }

    fn page(&self, events: Vec<SyncEvent>, more: More) -> Page {
        Page { events, more, backend_id: self.backend_id.clone() }
    }

    fn check_id(&self, received: Option<&String>) -> Result<(), SyncError> {
        check_id(&self.backend_id, received)
    }
}

fn check_id(expected: &String, received: Option<&String>) -> Result<(), SyncError> {
    match received {
        Some(received) if received != expected => Err(SyncError::BackendIdMismatch {
            expected: expected.clone(),
            received: received.clone(),
        }),
        _ => Ok(()),
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("backend_id", &self.backend_id)
            .field("stores", &self.logs.len())
            .field("links", &self.links.len())
            .field("online", &self.online)
            .finish_non_exhaustive()
    }
}
