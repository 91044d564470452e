use std::sync::Arc;
use std::sync::mpsc::channel;

use livestore_server::store::{Durability, EventStore, PostgresStore, StoreLimits};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls, Statement};

use super::postgres_server::Postgres;
use super::{EVENTS, PUSHES, Pushed, event};
use crate::Result;
use crate::harness::{Measured, compare, time};
use crate::sync::{Backend, delivered_between};

const ROUNDS: usize = 11;

/// As many connections as the server has.
const CONNECTIONS: u64 = 16;

const TABLE: &str = "CREATE TABLE events (
    store bigint, seq bigint, name bytea, args bytea, client_id bytea, session_id bytea,
    created_at bigint, checksum bigint, PRIMARY KEY (store, seq))";

const INSERT: &str = "INSERT INTO events SELECT $1::bigint, event.* FROM unnest(
    $2::bigint[], $3::bytea[], $4::bytea[], $5::bytea[], $6::bytea[], $7::bigint[], $8::bigint[]
) AS event";

/// Pushes to one store, one after the other.
pub(crate) fn one() -> Result<Measured> {
    pushes(1)
}

/// Pushes to a hundred stores at the same time.
pub(crate) fn many() -> Result<Measured> {
    pushes(100)
}

fn pushes(stores: u64) -> Result<Measured> {
    let postgres = Postgres::start();
    let storage = connect(&postgres, "ours")?;
    let mut pushed = (0..stores)
        .map(|n| Pushed::open(&storage, &format!("store {n}")))
        .collect::<Result<Vec<_>>>()?;
    let runtime = Runtime::new()?;
    let url = postgres.database("floor");
    let mut floor = runtime.block_on(Floor::connect(&url, stores))?;
    let operations = u32::try_from(stores * PUSHES * EVENTS)?;
    compare(
        ROUNDS,
        operations,
        || time(|| ours(&storage, &mut pushed)),
        || time(|| runtime.block_on(floor.round())),
    )
}

fn connect(postgres: &Postgres, database: &str) -> Result<PostgresStore> {
    let url = postgres.database(database);
    Ok(PostgresStore::connect(&url, Durability::Synced, StoreLimits::NONE)?)
}

/// Every store has one push on its way until it has made all.
fn ours(storage: &dyn EventStore, stores: &mut [Pushed]) -> Result<()> {
    let (sender, answers) = channel();
    let push = |store: &mut Pushed, at: usize| {
        let sender = sender.clone();
        store.push(storage, move |result| drop(sender.send((at, result))));
    };
    for (at, store) in stores.iter_mut().enumerate() {
        push(store, at);
    }
    let mut left: Vec<_> = stores.iter().map(|_| PUSHES).collect();
    while left.iter().any(|left| *left > 0) {
        let (at, result) = answers.recv()?;
        result?;
        let (Some(left), Some(store)) = (left.get_mut(at), stores.get_mut(at)) else { continue };
        *left -= 1;
        if *left > 0 {
            push(store, at);
        }
    }
    Ok(())
}

/// The same rows in the same transactions, and nothing else: nobody looks where they belong.
struct Floor {
    connections: Vec<Arc<(Client, Statement)>>,
    stores: u64,
    head: u64,
}

impl Floor {
    async fn connect(url: &str, stores: u64) -> Result<Self> {
        let mut connections = Vec::new();
        for n in 0..CONNECTIONS.min(stores) {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            tokio::spawn(connection);
            if n == 0 {
                client.batch_execute(TABLE).await?;
            }
            let insert = client.prepare(INSERT).await?;
            connections.push(Arc::new((client, insert)));
        }
        Ok(Self { connections, stores, head: 0 })
    }

    async fn round(&mut self) -> Result<()> {
        let (stores, head, count) = (self.stores, self.head, self.connections.len() as u64);
        let workers = (0..).zip(&self.connections).map(|(n, connection)| {
            let connection = Arc::clone(connection);
            tokio::spawn(async move {
                for push in 0..PUSHES {
                    for store in (n..stores).step_by(usize::try_from(count).unwrap_or(1)) {
                        insert(&connection, store, head + push * EVENTS).await?;
                    }
                }
                Ok::<_, tokio_postgres::Error>(())
            })
        });
        let workers: Vec<_> = workers.collect();
        for worker in workers {
            worker.await??;
        }
        self.head += PUSHES * EVENTS;
        Ok(())
    }
}

async fn insert(
    connection: &(Client, Statement),
    store: u64,
    parent: u64,
) -> Result<(), tokio_postgres::Error> {
    let (client, insert) = connection;
    let events: Vec<_> = (parent..parent + EVENTS).map(event).collect();
    let texts = |text: fn(&livestore_protocol::SyncEvent) -> &str| -> Vec<&[u8]> {
        events.iter().map(|stored| text(stored.event()).as_bytes()).collect()
    };
    let seqs: Vec<_> = events.iter().map(|stored| stored.event().seq.cast_signed()).collect();
    let created: Vec<_> = events.iter().map(|stored| stored.created_at().as_millis()).collect();
    let (names, args) = (texts(|event| &event.name), texts(|event| &event.args));
    let (clients, sessions) = (texts(|event| &event.client_id), texts(|event| &event.session_id));
    let store = store.cast_signed();
    client
        .execute(insert, &[&store, &seqs, &names, &args, &clients, &sessions, &created, &created])
        .await?;
    Ok(())
}

/// From a commit at one server to a callback at the other one's client: the median.
pub(crate) fn latency() -> Result<Measured> {
    let postgres = Postgres::start();
    let url = postgres.database("shared");
    let start = || -> Result<Backend> {
        let storage = PostgresStore::connect(&url, Durability::Synced, StoreLimits::NONE)?;
        Backend::over(Arc::new(storage), tempfile::tempdir()?)
    };
    delivered_between(&start()?, &start()?, 0.5)
}
