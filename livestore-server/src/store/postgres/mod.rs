//! Storage in Postgres, which several servers may share.
//!
//! An append is one statement: it moves the store's head, if that is where the events begin, and
//! inserts them. So Postgres decides which server's append comes first, and a server has nothing that
//! a restart would lose. What others have appended is learned by LISTEN, and by polling behind it,
//! because notifications are lost with a connection, and never arrive through a proxy that lends a
//! connection for one transaction at a time.

mod config;
mod database;
mod error;
mod feed;
mod schema;
mod statement;
mod tls;

use std::collections::HashMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use self::config::Settings;
use self::database::Database;
use self::error::Failure;
use self::statement::Found;
use super::remote::{Lanes, News, Threads, read_pages};
use super::{
    Durability, EventStore, Reply, StoreError, StoreId, StoreInfo, StoreLimits, StoredEvent,
    Watcher, new_backend_id,
};

pub use self::error::OpenPostgresError;

/// A storage in a Postgres database. Several servers may use it at the same time.
pub struct PostgresStore {
    engine: Arc<Engine>,
    lanes: Lanes,
    /// Dropped last: everything runs on them.
    threads: Threads,
}

struct Engine {
    database: Arc<Database>,
    limits: StoreLimits,
    /// The keys of stores, which never change.
    keys: Mutex<HashMap<StoreId, i64>>,
    news: Arc<News<Database>>,
}

impl PostgresStore {
    /// Connects to the database, and creates the schema `livestore` if it is missing; blocks.
    ///
    /// The URL is one of Postgres, `postgres://user:password@host/database`. Beside Postgres' own
    /// parameters it may have `connections` (the most connections for pushes and pulls, 16) and
    /// `sslrootcert` (a file with the certificates to trust, instead of the system's).
    ///
    /// # Errors
    /// If the database cannot be used as it is.
    ///
    /// # Panics
    /// If it is called within an asynchronous task.
    pub fn connect(
        url: &str,
        durability: Durability,
        limits: StoreLimits,
    ) -> Result<Self, OpenPostgresError> {
        let database = Arc::new(Database::new(Settings::parse(url)?)?);
        let threads = Threads::start("livestore-postgres").map_err(OpenPostgresError::Threads)?;
        threads.block_on(database.prepare(durability))?;
        let news = threads.block_on(async { News::start(Arc::clone(&database)) });
        let lanes = Lanes::new(threads.handle().clone());
        let engine = Arc::new(Engine { database, limits, keys: Mutex::default(), news });
        Ok(Self { engine, lanes, threads })
    }

    fn open(&self, store: &StoreId, backend_id: Option<String>, reply: Reply<StoreInfo>) {
        let (engine, id) = (Arc::clone(&self.engine), store.clone());
        self.lanes.put(store, async move { reply(engine.open(&id, backend_id).await) });
    }
}

impl EventStore for PostgresStore {
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
        self.threads.spawn(async move { reply(engine.check().await) });
    }

    fn read(
        &self,
        store: &StoreId,
        after: u64,
        visit: &mut dyn FnMut(StoredEvent) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let engine = &self.engine;
        let key = self.threads.block_on(engine.key(store))?;
        let page = |after, size| engine.database.page(key, after, size);
        read_pages(&self.threads, after, visit, page)
    }

    fn list(&self) -> Result<Vec<(StoreId, StoreInfo)>, StoreError> {
        self.threads.block_on(self.engine.database.list())
    }

    fn watch(&self, store: &StoreId, watcher: Weak<dyn Watcher>) -> bool {
        let key = self.engine.keys().get(store).copied();
        // A store that was opened has a key.
        if let Some(key) = key {
            self.engine.news.watch(key, watcher);
        }
        true
    }
}

impl Engine {
    async fn open(
        &self,
        store: &StoreId,
        backend_id: Option<String>,
    ) -> Result<StoreInfo, StoreError> {
        if let Some(found) = self.find(store).await? {
            return Ok(found.info);
        }
        let backend_id = backend_id.map_or_else(new_backend_id, Ok)?;
        let limit = self.limits.stores;
        let count = i64::try_from(limit).ok();
        self.database.create(store.clone(), backend_id, count).await?;
        let found = self.find(store).await?;
        found.map(|found| found.info).ok_or(StoreError::TooManyStores { limit })
    }

    /// Appends events. If the connection breaks, which it may have done long ago, they are appended
    /// once more: whichever attempt moves the head, the other one finds it moved.
    async fn append(&self, store: &StoreId, events: &Arc<[StoredEvent]>) -> Result<(), StoreError> {
        let key = self.key(store).await?;
        let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(()) };
        let (first, last) = (first.event().parent, last.event().seq);
        let size = events.iter().map(StoredEvent::size).sum::<u64>();
        let Some(most_before) = self.limits.bytes.checked_sub(size) else {
            return Err(self.reason(key, first, size).await?);
        };
        let mut is_retry = false;
        let appended = loop {
            let batch = (key, Arc::clone(events), size, most_before);
            match self.database.append(batch).await {
                Err(Failure::Broken(_)) if !is_retry => is_retry = true,
                answered => break answered,
            }
        };
        let stored = match appended {
            Ok(true) => Ok(()),
            Ok(false) => match self.reason(key, first, size).await {
                Ok(StoreError::Behind { head }) if is_retry && head >= last => {
                    match self.database.has(key, events).await {
                        Ok(true) => Ok(()),
                        Ok(false) => Err(StoreError::Behind { head }),
                        Err(error) => Err(error),
                    }
                }
                Ok(reason) | Err(reason) => Err(reason),
            },
            Err(failure) => Err(failure.of_append()),
        };
        match stored {
            Ok(()) => {
                self.news.appended(key, last);
                Ok(())
            }
            // The first attempt may have stored them.
            Err(StoreError::Unavailable(_) | StoreError::DiskFull) if is_retry => {
                Err(StoreError::Uncertain("the connection to Postgres broke".to_owned()))
            }
            Err(reason) => Err(reason),
        }
    }

    /// Returns why events were not appended.
    async fn reason(&self, key: i64, parent: u64, size: u64) -> Result<StoreError, StoreError> {
        let found = self.database.find_by_key(key).await?;
        let Some(Found { info: StoreInfo { head, bytes, .. }, .. }) = found else {
            self.keys().retain(|_, known| *known != key);
            return Ok(StoreError::Unknown);
        };
        let limit = self.limits.bytes;
        Ok(match parent == head {
            false => StoreError::Behind { head },
            true if bytes.saturating_add(size) > limit => StoreError::StoreFull { limit },
            true => StoreError::Unavailable("the store has changed meanwhile".to_owned()),
        })
    }

    async fn check(&self) -> Result<(), StoreError> {
        match self.database.is_read_only().await? {
            true => Err(StoreError::Unavailable("Postgres is read-only".to_owned())),
            false => Ok(()),
        }
    }

    async fn key(&self, store: &StoreId) -> Result<i64, StoreError> {
        let known = self.keys().get(store).copied();
        match known {
            Some(key) => Ok(key),
            None => Ok(self.find(store).await?.ok_or(StoreError::Unknown)?.key),
        }
    }

    async fn find(&self, store: &StoreId) -> Result<Option<Found>, StoreError> {
        let found = self.database.find(store.clone()).await?;
        let mut keys = self.keys();
        match &found {
            Some(found) => keys.insert(store.clone(), found.key),
            None => keys.remove(store),
        };
        drop(keys);
        Ok(found)
    }

    fn keys(&self) -> std::sync::MutexGuard<'_, HashMap<StoreId, i64>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("place", &self.engine.database.settings.place())
            .finish_non_exhaustive()
    }
}
