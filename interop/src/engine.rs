//! The engine behind our server, if it is not SQLite: one of the backend's own, as in the server's tests.

use std::fmt;
use std::str::FromStr;

#[path = "../../livestore-server/tests/engines/nats.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test's"
)]
mod nats;
#[path = "../../livestore-server/tests/engines/postgres.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test's"
)]
mod postgres;

use nats::Nats;
use postgres::Postgres;

/// Where our server stores the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Storage {
    #[default]
    Sqlite,
    Postgres,
    Nats,
}

impl FromStr for Storage {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "sqlite" => Ok(Self::Sqlite),
            "postgres" => Ok(Self::Postgres),
            "nats" => Ok(Self::Nats),
            _ => Err(format!("{name} is not `sqlite`, `postgres` or `nats`")),
        }
    }
}

impl fmt::Display for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "Postgres",
            Self::Nats => "NATS",
        })
    }
}

/// An engine that runs.
pub(crate) enum Engine {
    Postgres(Postgres),
    Nats(Nats),
}

impl Engine {
    /// Starts the engine of this storage, if it has one.
    pub(crate) fn start(storage: Storage) -> Option<Self> {
        match storage {
            Storage::Sqlite => None,
            Storage::Postgres => Some(Self::Postgres(Postgres::start())),
            Storage::Nats => Some(Self::Nats(Nats::start())),
        }
    }

    /// Returns the URL of a storage without any data. There was one for each of the numbers before `number`.
    pub(crate) fn empty(&mut self, number: u32) -> String {
        match self {
            Self::Postgres(postgres) => postgres.database(&format!("interop_{number}")),
            Self::Nats(nats) => {
                if number > 0 {
                    *nats = Nats::start();
                }
                nats.url()
            }
        }
    }
}
