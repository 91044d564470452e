//! What other servers have appended.
//!
//! A server that has appended announces the new heads to the others. While one announcement is on its
//! way, those that come are collected for the next one. Whoever watches a store reads the events. As
//! an announcement may be lost, the heads are asked for now and then, too.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::future::Future;
use std::hash::Hash;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

use crate::edge;
use crate::store::{StoreError, StoredEvent, Watcher};

/// The time between two looks at the heads, if announcements arrive, and if they do not.
const POLL: Duration = Duration::from_secs(1);
const POLL_WITHOUT_ANNOUNCEMENTS: Duration = Duration::from_millis(100);

/// A connection that has not brought the announcement that this server sent itself after this time
/// brings none. Whether it still brings them is tried that often, too.
const PROBE: Duration = Duration::from_secs(5);

/// The pause before listening again.
const PAUSE: Duration = Duration::from_millis(500);

/// After this time without an answer, those who watch are notified that there is none, so that clients go to
/// another server.
const LOST_AFTER: Duration = Duration::from_secs(5);

/// The most stores in an announcement. Postgres takes 8,000 bytes.
const STORES: usize = 80;

/// A store that is further ahead is not read whole: who wants all of it reads for himself.
const MAX_GAP: u64 = 500;

/// An engine, as far as it has news.
pub(in crate::store) trait Feed: Send + Sync + 'static {
    /// What a store is called in the engine. Its text has neither spaces nor colons.
    type Key: Clone + Display + Eq + FromStr + Hash + Send + Sync;

    /// Returns the next events after `after`; none if there are none.
    fn next(
        &self,
        key: &Self::Key,
        after: u64,
    ) -> impl Future<Output = Result<Vec<StoredEvent>, StoreError>> + Send;

    /// Returns the heads of those stores that are there.
    fn heads(
        &self,
        keys: Vec<Self::Key>,
    ) -> impl Future<Output = Result<Vec<(Self::Key, u64)>, StoreError>> + Send;

    /// Sends texts to all servers that listen, this one too.
    fn announce(&self, texts: Vec<String>) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Passes the texts that are announced to `receive`, and calls `ready` once none is missed any more. Ends
    /// with the connection, and returns why it did.
    fn listen(
        &self,
        ready: impl Fn() + Send + Sync,
        receive: impl Fn(&str) + Send + Sync,
    ) -> impl Future<Output = String> + Send;
}

/// Those who watch stores, and the heads that are to be announced.
pub(in crate::store) struct News<F: Feed> {
    feed: Arc<F>,
    watched: Mutex<HashMap<F::Key, Watched>>,
    /// Heads that others do not know of yet.
    appended: Mutex<HashMap<F::Key, u64>>,
    wake_announcer: Notify,
    wake_poller: Notify,
    /// Whether announcements arrive.
    hears: AtomicBool,
    /// Names this server in announcements to itself.
    own_name: String,
}

struct Watched {
    watchers: Vec<Weak<dyn Watcher>>,
    head: u64,
    /// Whether a task is reading the events.
    is_read: bool,
}

impl<F: Feed> News<F> {
    /// Starts the tasks, on the runtime that this is called in. They end with it.
    pub(in crate::store) fn start(feed: Arc<F>) -> Arc<Self> {
        let news = Arc::new(Self {
            feed,
            watched: Mutex::default(),
            appended: Mutex::default(),
            wake_announcer: Notify::new(),
            wake_poller: Notify::new(),
            hears: AtomicBool::new(false),
            own_name: edge::new_id().unwrap_or_default(),
        });
        tokio::spawn(Arc::clone(&news).announce());
        tokio::spawn(Arc::clone(&news).listen());
        tokio::spawn(Arc::clone(&news).poll());
        news
    }

    /// Passes the events that others append to a watcher.
    pub(in crate::store) fn watch(&self, key: F::Key, watcher: Weak<dyn Watcher>) {
        let unwatched = || Watched { watchers: Vec::new(), head: 0, is_read: false };
        self.watched().entry(key).or_insert_with(unwatched).watchers.push(watcher);
        // It may have missed something since it was opened.
        self.wake_poller.notify_one();
    }

    /// Notifies the other servers that a store has events up to `head`.
    pub(in crate::store) fn appended(&self, key: F::Key, head: u64) {
        self.appended.lock().unwrap_or_else(PoisonError::into_inner).insert(key, head);
        self.wake_announcer.notify_one();
    }

    async fn announce(self: Arc<Self>) {
        loop {
            self.wake_announcer.notified().await;
            let heads =
                std::mem::take(&mut *self.appended.lock().unwrap_or_else(PoisonError::into_inner));
            let heads: Vec<_> = heads.into_iter().collect();
            if heads.is_empty() {
                continue;
            }
            let texts = heads.chunks(STORES).map(|heads| {
                let heads: Vec<_> =
                    heads.iter().map(|(key, head)| format!("{key}:{head}")).collect();
                heads.join(" ")
            });
            if let Err(error) = self.feed.announce(texts.collect()).await {
                // They are found by polling.
                tracing::debug!(%error, "other servers were not notified");
            }
        }
    }

    async fn listen(self: Arc<Self>) {
        loop {
            // From now on nothing is missed; what was before is found by a poll.
            let ready = || self.wake_poller.notify_one();
            let reason = self.feed.listen(ready, |text| self.received(text)).await;
            if self.hears.swap(false, Ordering::Relaxed) {
                tracing::warn!(reason, "the connection for other servers' news ended");
            }
            sleep(PAUSE).await;
        }
    }

    fn received(self: &Arc<Self>, text: &str) {
        if text == self.own_name {
            self.hears.store(true, Ordering::Relaxed);
            return;
        }
        for news in text.split(' ') {
            let parsed = news.rsplit_once(':');
            let parsed =
                parsed.and_then(|(key, head)| Some((key.parse().ok()?, head.parse().ok()?)));
            // Who else notifies on this channel is not known.
            if let Some((key, head)) = parsed {
                self.moved(&key, head);
            }
        }
    }

    /// Asks for the heads of all watched stores, again and again.
    async fn poll(self: Arc<Self>) {
        let (mut answered, mut probed, mut warned) = (Instant::now(), Instant::now(), false);
        let mut heard = Instant::now();
        loop {
            let hears = self.hears.load(Ordering::Relaxed);
            let pause = if hears { POLL } else { POLL_WITHOUT_ANNOUNCEMENTS };
            let _ = timeout(pause, self.wake_poller.notified()).await;
            let keys = self.watched_keys();
            if keys.is_empty() {
                (answered, probed, heard) = (Instant::now(), Instant::now(), Instant::now());
                continue;
            }
            match self.feed.heads(keys.clone()).await {
                Ok(heads) => {
                    answered = Instant::now();
                    self.found(&keys, &heads);
                }
                Err(error) => {
                    if answered.elapsed() > LOST_AFTER {
                        self.lose_all(&error);
                    }
                    continue;
                }
            }
            if !hears {
                let _ = self.feed.announce(vec![self.own_name.clone()]).await;
                if probed.elapsed() > PROBE && !warned {
                    warned = true;
                    let every = POLL_WITHOUT_ANNOUNCEMENTS;
                    tracing::warn!(?every, "announcements do not arrive, so the engine is polled");
                }
            } else {
                (probed, warned) = (Instant::now(), false);
                if heard.elapsed() > PROBE {
                    // The next round shows whether they still arrive.
                    heard = Instant::now();
                    self.hears.store(false, Ordering::Relaxed);
                }
            }
        }
    }

    /// Notes that a store has events up to `head`, and has them read if a watcher does not know them.
    fn moved(self: &Arc<Self>, key: &F::Key, head: u64) {
        let mut all = self.watched();
        let Some(watched) = all.get_mut(key) else { return };
        watched.head = watched.head.max(head);
        if !watched.is_read && watched.next().is_some() {
            watched.is_read = true;
            tokio::spawn(Arc::clone(self).read(key.clone()));
        }
    }

    /// Passes events to the watchers of a store until they know all.
    async fn read(self: Arc<Self>, key: F::Key) {
        loop {
            let next = {
                let mut all = self.watched();
                let Some(watched) = all.get_mut(&key) else { return };
                let next = watched.next();
                watched.is_read = next.is_some();
                next.map(|after| (after, watched.watchers()))
            };
            let Some((after, watchers)) = next else { return };
            match self.feed.next(&key, after).await {
                Ok(events) if !events.is_empty() => {
                    let events: Arc<[StoredEvent]> = events.into();
                    watchers.iter().for_each(|watcher| watcher.appended(Arc::clone(&events)));
                }
                // The next poll tries again.
                failed => {
                    if let Err(error) = failed {
                        tracing::warn!(%error, "events of other servers cannot be read");
                    }
                    if let Some(watched) = self.watched().get_mut(&key) {
                        (watched.head, watched.is_read) = (0, false);
                    }
                    return;
                }
            }
        }
    }

    fn found(self: &Arc<Self>, keys: &[F::Key], heads: &[(F::Key, u64)]) {
        for (key, head) in heads {
            self.moved(key, *head);
        }
        if heads.len() < keys.len() {
            let there: HashSet<_> = heads.iter().map(|(key, _)| key).collect();
            for key in keys.iter().filter(|key| !there.contains(key)) {
                let gone = self.watched().remove(key);
                gone.into_iter().for_each(|watched| watched.lose(&StoreError::Unknown));
            }
        }
    }

    fn lose_all(&self, error: &StoreError) {
        let all = std::mem::take(&mut *self.watched());
        all.into_values().for_each(|watched| watched.lose(error));
    }

    /// Returns the keys of the stores that are watched, and forgets the others.
    fn watched_keys(&self) -> Vec<F::Key> {
        let mut watched = self.watched();
        watched.retain(|_, watched| {
            watched.watchers.retain(|watcher| watcher.strong_count() > 0);
            watched.is_read || !watched.watchers.is_empty()
        });
        watched.keys().cloned().collect()
    }

    fn watched(&self) -> MutexGuard<'_, HashMap<F::Key, Watched>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watched {
    /// Returns the event after which to read, if a watcher does not know all.
    fn next(&self) -> Option<u64> {
        let known = self.watchers().iter().map(|watcher| watcher.head()).min()?;
        (known < self.head).then(|| known.max(self.head.saturating_sub(MAX_GAP)))
    }

    fn watchers(&self) -> Vec<Arc<dyn Watcher>> {
        self.watchers.iter().filter_map(Weak::upgrade).collect()
    }

    fn lose(self, error: &StoreError) {
        self.watchers().iter().for_each(|watcher| watcher.lost(error.clone()));
    }
}

#[cfg(test)]
mod tests;
