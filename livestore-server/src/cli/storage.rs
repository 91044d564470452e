//! Which storage a command uses.

use std::fmt;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use super::Failure;
#[cfg(feature = "nats")]
use crate::store::NatsStore;
#[cfg(feature = "postgres")]
use crate::store::PostgresStore;
use crate::store::{
    Durability, EventStore, ReadOnlyStore, SqliteStore, StoreError, StoreId, StoreInfo,
    StoreLimits, StoredEvent,
};

/// What `--storage` says.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Storage {
    Sqlite(PathBuf),
    /// A URL, which may have a password.
    #[cfg(feature = "postgres")]
    Postgres(String),
    /// A URL, which may have a password.
    #[cfg(feature = "nats")]
    Nats(String),
}

/// A storage that is only read, beside the servers that use it.
pub(super) enum Source {
    Files(ReadOnlyStore),
    #[cfg(any(feature = "nats", feature = "postgres"))]
    Engine(Arc<dyn EventStore>),
}

impl FromStr for Storage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("sqlite", "")) => Err("sqlite: names no directory".to_owned()),
            Some(("sqlite", directory)) => Ok(Self::Sqlite(directory.into())),
            #[cfg(feature = "postgres")]
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(text.to_owned())),
            #[cfg(not(feature = "postgres"))]
            Some(("postgres" | "postgresql", _)) => {
                Err("this server was built without the feature `postgres`".to_owned())
            }
            #[cfg(feature = "nats")]
            Some(("nats" | "tls", _)) => Ok(Self::Nats(text.to_owned())),
            #[cfg(not(feature = "nats"))]
            Some(("nats" | "tls", _)) => {
                Err("this server was built without the feature `nats`".to_owned())
            }
            // It may be a URL with a password, so it is not repeated.
            _ => Err("storage has to begin with sqlite:, postgres: or nats:".to_owned()),
        }
    }
}

impl Storage {
    /// Opens it to serve it.
    pub(super) fn open(
        &self,
        durability: Durability,
        limits: StoreLimits,
    ) -> Result<Arc<dyn EventStore>, Failure> {
        Ok(match self {
            Self::Sqlite(directory) => Arc::new(SqliteStore::open(directory, durability, limits)?),
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => Arc::new(PostgresStore::connect(url, durability, limits)?),
            #[cfg(feature = "nats")]
            Self::Nats(url) => Arc::new(NatsStore::connect(url, limits)?),
        })
    }

    /// Opens it to read, while a server may be using it.
    pub(super) fn source(&self) -> Result<Source, Failure> {
        // What is only read may be as durable as it likes.
        #[cfg(any(feature = "nats", feature = "postgres"))]
        let engine = || self.open(Durability::Written, StoreLimits::NONE).map(Source::Engine);
        match self {
            Self::Sqlite(directory) => Ok(Source::Files(SqliteStore::reader(directory)?)),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => engine(),
            #[cfg(feature = "nats")]
            Self::Nats(_) => engine(),
        }
    }
}

impl Source {
    pub(super) fn read(
        &self,
        store: &StoreId,
        after: u64,
        visit: &mut dyn FnMut(StoredEvent) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        match self {
            Self::Files(reader) => reader.read(store, after, visit),
            #[cfg(any(feature = "nats", feature = "postgres"))]
            Self::Engine(engine) => engine.read(store, after, visit),
        }
    }

    pub(super) fn list(&self) -> Result<Vec<(StoreId, StoreInfo)>, StoreError> {
        match self {
            Self::Files(reader) => reader.list(),
            #[cfg(any(feature = "nats", feature = "postgres"))]
            Self::Engine(engine) => engine.list(),
        }
    }
}

/// Without the password.
impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(directory) => write!(f, "sqlite:{}", directory.display()),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => f.write_str("postgres:…"),
            #[cfg(feature = "nats")]
            Self::Nats(_) => f.write_str("nats:…"),
        }
    }
}
