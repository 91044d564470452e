//! Storage in NATS JetStream, which several servers may share.
//!
//! A store is a stream, and an event a message: the number of a message in its stream is that of the
//! event. An append is one atomic batch that is stored only if the stream ends with the event before
//! it. The id of the store, and its backend id, are metadata of the stream.

mod api;
mod config;
mod error;
mod feed;
mod message;
mod stream;

use std::collections::HashMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use self::api::{Api, MAX_BATCH};
use self::config::{MIN_PAYLOAD, Settings};
use self::error::{Failure, STREAM_EXISTS, STREAM_NOT_FOUND};
use self::stream::{Config, Info, name_of};
use super::remote::{EventPage, Lanes, News, Threads, read_pages};
use super::{
    EventStore, Reply, StoreError, StoreId, StoreInfo, StoreLimits, StoredEvent, Watcher,
    new_backend_id,
};
use crate::edge;

pub use self::error::OpenNatsError;

/// How often, and how long apart, a replica is asked again that does not have everything yet.
const ATTEMPTS: u32 = 400;
const PAUSE: Duration = Duration::from_millis(5);

/// A storage in NATS JetStream. Several servers may use it at the same time.
pub struct NatsStore {
    engine: Arc<Engine>,
    lanes: Lanes,
    /// Dropped last: everything runs on them.
    threads: Threads,
}

struct Engine {
    streams: Arc<Streams>,
    limits: StoreLimits,
    news: Arc<News<Streams>>,
}

/// The streams of stores.
struct Streams {
    api: Api,
    settings: Settings,
    /// What is known of streams that were opened.
    tails: Mutex<HashMap<String, Tail>>,
}

/// The end of a stream, or of what it had some time ago.
#[derive(Debug, Clone, Copy, Default)]
struct Tail {
    head: u64,
    bytes: u64,
}

impl NatsStore {
    /// Connects to a NATS server with JetStream; blocks.
    ///
    /// The URL is one of NATS, `nats://user:password@host:4222` or `tls://…`, or several with commas
    /// between them. It may have `replicas` (1, 3 or 5: the copies of a new store in a cluster),
    /// `credentials` (a file of NATS) and `tls_ca` (a file with the certificates to trust, instead of the
    /// system's).
    ///
    /// # Errors
    /// If the server cannot be used as it is.
    ///
    /// # Panics
    /// If it is called within an asynchronous task.
    pub fn connect(url: &str, limits: StoreLimits) -> Result<Self, OpenNatsError> {
        let settings = Settings::parse(url)?;
        let threads = Threads::start("livestore-nats").map_err(OpenNatsError::Threads)?;
        let streams = Arc::new(threads.block_on(Streams::connect(settings))?);
        let news = threads.block_on(async { News::start(Arc::clone(&streams)) });
        let lanes = Lanes::new(threads.handle().clone());
        Ok(Self { engine: Arc::new(Engine { streams, limits, news }), lanes, threads })
    }

    fn open(&self, store: &StoreId, backend_id: Option<String>, reply: Reply<StoreInfo>) {
        let (engine, id) = (Arc::clone(&self.engine), store.clone());
        self.lanes.put(store, async move { reply(engine.open(&id, backend_id).await) });
    }
}

impl EventStore for NatsStore {
    fn open(&self, store: &StoreId, reply: Reply<StoreInfo>) {
        self.open(store, None, reply);
    }

    fn open_as(&self, store: &StoreId, backend_id: &str, reply: Reply<StoreInfo>) {
        self.open(store, Some(backend_id.to_owned()), reply);
    }

    fn append(&self, store: &StoreId, events: Arc<[StoredEvent]>, reply: Reply<()>) {
        let (engine, id) = (Arc::clone(&self.engine), store.clone());
        self.lanes.put(store, async move { reply(engine.append(&id, &events).await) });
    }

    fn check(&self, reply: Reply<()>) {
        let engine = Arc::clone(&self.engine);
        self.threads.spawn(async move {
            reply(engine.streams.api.account().await.map_err(Failure::unavailable));
        });
    }

    fn read(
        &self,
        store: &StoreId,
        after: u64,
        visit: &mut dyn FnMut(StoredEvent) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let streams = &self.engine.streams;
        let name = name_of(store);
        if streams.known(&name).is_none() {
            self.threads.block_on(streams.tail(store))?.ok_or(StoreError::Unknown)?;
        }
        let page = |after, size| streams.page(&name, after, size);
        read_pages(&self.threads, after, visit, page)
    }

    fn list(&self) -> Result<Vec<(StoreId, StoreInfo)>, StoreError> {
        self.threads.block_on(self.engine.streams.list())
    }

    fn watch(&self, store: &StoreId, watcher: Weak<dyn Watcher>) -> bool {
        self.engine.news.watch(name_of(store), watcher);
        true
    }
}

impl Engine {
    async fn open(
        &self,
        store: &StoreId,
        backend_id: Option<String>,
    ) -> Result<StoreInfo, StoreError> {
        if let Some(found) = self.streams.tail(store).await? {
            return Ok(found);
        }
        let limit = self.limits.stores;
        let api = &self.streams.api;
        if limit != u64::MAX && api.count().await.map_err(Failure::unavailable)? >= limit {
            return Err(StoreError::TooManyStores { limit });
        }
        let backend_id = backend_id.map_or_else(new_backend_id, Ok)?;
        let config = Config::new(store, backend_id, self.streams.settings.replicas);
        match api.create(&config).await {
            Ok(_) => {}
            // Another server was faster: this is its id.
            Err(failure) if failure.has_code(STREAM_EXISTS) => {}
            Err(failure) => return Err(failure.unavailable()),
        }
        let found = self.streams.tail(store).await?;
        found.ok_or_else(|| StoreError::Unavailable("a new stream is not there".to_owned()))
    }

    async fn append(&self, store: &StoreId, events: &Arc<[StoredEvent]>) -> Result<(), StoreError> {
        let name = name_of(store);
        let parent = events.first().map_or(0, |first| first.event().parent);
        let tail = match self.streams.known(&name).filter(|tail| tail.head == parent) {
            Some(tail) => tail,
            None => {
                let found = self.streams.tail(store).await?.ok_or(StoreError::Unknown)?;
                Tail { head: found.head, bytes: found.bytes }
            }
        };
        let Some(last) = events.last() else { return Ok(()) };
        if tail.head != parent {
            return Err(StoreError::Behind { head: tail.head });
        }
        let mut total = tail.bytes;
        let mut messages = Vec::with_capacity(events.len());
        for stored in &**events {
            total += stored.size();
            let message = message::encode(stored, total)
                .map_err(|error| StoreError::Failed(error.to_string()))?;
            messages.push(message);
        }
        if total > self.limits.bytes {
            return Err(StoreError::StoreFull { limit: self.limits.bytes });
        }
        if messages.len() > MAX_BATCH {
            let problem = format!("NATS takes at most {MAX_BATCH} events at a time");
            return Err(StoreError::Unavailable(problem));
        }
        let batch_id = edge::new_id().map_err(|it| StoreError::Unavailable(it.to_string()))?;
        match self.streams.api.publish(&name, parent, &batch_id, messages).await {
            Ok(seq) if seq == last.event().seq => {
                self.streams.learn(&name, Tail { head: seq, bytes: total });
                self.news.appended(name, seq);
                Ok(())
            }
            Ok(seq) => {
                let wanted = last.event().seq;
                Err(StoreError::Failed(format!("e{wanted} was stored as message {seq}")))
            }
            Err(failure) if failure.is_behind() => {
                let found = self.streams.tail(store).await?.ok_or(StoreError::Unknown)?;
                Err(StoreError::Behind { head: found.head })
            }
            Err(Failure::NoResponders) => match self.streams.tail(store).await? {
                None => Err(StoreError::Unknown),
                Some(_) => Err(Failure::NoResponders.unavailable()),
            },
            Err(failure) => Err(failure.of_append()),
        }
    }
}

impl Streams {
    async fn connect(settings: Settings) -> Result<Self, OpenNatsError> {
        let client = settings.connect().await?;
        let (info, place) = (client.server_info(), settings.place());
        if !client.is_server_compatible(2, 12, 0) {
            return Err(OpenNatsError::Version { place, found: info.version });
        }
        if info.max_payload < MIN_PAYLOAD {
            return Err(OpenNatsError::MaxPayload { place, found: info.max_payload });
        }
        let streams = Self { api: Api { client }, settings, tails: Mutex::default() };
        match streams.api.account().await {
            Ok(()) => Ok(streams),
            Err(Failure::NoResponders | Failure::Refused { .. }) => {
                Err(OpenNatsError::NoJetStream { place })
            }
            Err(failure) => {
                let source = failure.unavailable().into();
                Err(OpenNatsError::Unreachable { place, source })
            }
        }
    }

    /// Returns what a store is and has now, if it is there.
    async fn tail(&self, store: &StoreId) -> Result<Option<StoreInfo>, StoreError> {
        let name = name_of(store);
        let info = match self.api.info(&name).await {
            Ok(info) => info,
            Err(failure) if failure.has_code(STREAM_NOT_FOUND) => {
                self.tails().remove(&name);
                return Ok(None);
            }
            Err(failure) => return Err(failure.unavailable()),
        };
        self.tail_of(store, &info).await.map(Some)
    }

    async fn tail_of(&self, store: &StoreId, info: &Info) -> Result<StoreInfo, StoreError> {
        let backend_id = info.config.check(store)?;
        let (name, head) = (&info.config.name, info.state.last_seq);
        let bytes = match self.known(name) {
            Some(tail) if tail.head == head => tail.bytes,
            _ if head == 0 => 0,
            _ => {
                let last = self.api.message(name, head).await.map_err(Failure::unavailable)?;
                message::total_bytes(head, &last)?
            }
        };
        self.learn(name, Tail { head, bytes });
        Ok(StoreInfo { backend_id, head, bytes })
    }

    /// Returns the next events. What is known to be there is waited for: any replica answers, and it may not
    /// have the last ones yet.
    async fn page(&self, stream: &str, after: u64, size: u32) -> Result<EventPage, StoreError> {
        let size = u64::from(size);
        let head = self.known(stream).map_or(0, |tail| tail.head);
        for _ in 0..ATTEMPTS {
            let page = self.api.page(stream, after, size).await.map_err(Failure::unavailable)?;
            if !page.is_empty() || after >= head {
                return Ok(page);
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(StoreError::Unavailable("a replica of NATS lags behind".to_owned()))
    }

    async fn list(&self) -> Result<Vec<(StoreId, StoreInfo)>, StoreError> {
        let mut stores = Vec::new();
        for info in self.api.list().await.map_err(Failure::unavailable)? {
            let id = info.config.store().and_then(|id| StoreId::new(id).ok());
            // A stream of somebody else's, on one of these subjects.
            let Some(id) = id.filter(|id| name_of(id) == info.config.name) else { continue };
            let tail = self.tail_of(&id, &info).await?;
            stores.push((id, tail));
        }
        stores.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(stores)
    }

    fn known(&self, stream: &str) -> Option<Tail> {
        self.tails().get(stream).copied()
    }

    /// Notes the end of a stream. Answers may come in another order than they were given.
    fn learn(&self, stream: &str, tail: Tail) {
        let mut tails = self.tails();
        let known = tails.entry(stream.to_owned()).or_default();
        if tail.head >= known.head {
            *known = tail;
        }
    }

    fn tails(&self) -> MutexGuard<'_, HashMap<String, Tail>> {
        self.tails.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for NatsStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.engine.streams.settings.place();
        f.debug_struct("NatsStore").field("place", &place).finish_non_exhaustive()
    }
}
