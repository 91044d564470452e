//! Connections to the database.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use deadpool_postgres::{Client, Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use tokio_postgres::error::SqlState;

use super::config::Settings;
use super::error::{Failure, OpenPostgresError, chain};
use super::schema;
use super::statement::{self, Batch, Found, Sending};
use super::tls::MakeTls;
use crate::store::remote::{EventPage, NEXT_PAGES, client_config, in_time};
use crate::store::{Durability, StoreError, StoreId, StoreInfo, StoredEvent};

/// The database.
pub(super) struct Database {
    pub(super) settings: Settings,
    pub(super) tls: MakeTls,
    pool: Pool,
    /// Whether a prepared statement was missing where it had been prepared.
    forgets_statements: AtomicBool,
}

/// The answer to a statement.
pub(super) type Answer<'a, T> =
    Pin<Box<dyn Future<Output = Result<T, tokio_postgres::Error>> + Send + 'a>>;

impl Database {
    /// Makes no connection yet.
    pub(super) fn new(settings: Settings) -> Result<Self, OpenPostgresError> {
        let tls = MakeTls(client_config(settings.roots.as_deref())?);
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(settings.config.clone(), tls.clone(), recycling);
        let pool = Pool::builder(manager).max_size(settings.connections).build();
        // It fails only for time limits without a runtime, of which there are none.
        let pool = pool.map_err(|error| OpenPostgresError::Unreachable {
            place: settings.place(),
            source: error.into(),
        })?;
        Ok(Self { settings, tls, pool, forgets_statements: AtomicBool::new(false) })
    }

    /// Checks that the database can be used, and creates what is missing.
    pub(super) async fn prepare(&self, durability: Durability) -> Result<(), OpenPostgresError> {
        let place = self.settings.place();
        let silent = || OpenPostgresError::Unreachable {
            place: self.settings.place(),
            source: "it does not answer".into(),
        };
        let connecting = in_time(self.settings.config.connect(self.tls.clone()));
        let connected = connecting.await.ok_or_else(silent)?;
        let (mut client, connection) =
            connected.map_err(|error| not_let_in(place.clone(), error))?;
        let connection = tokio::spawn(connection);
        // A proxy may let the server in before it has a connection to Postgres. Behind the first answer, there may
        // be another server to wait for, which creates what is missing.
        let prepared = match in_time(client.batch_execute("SELECT 1")).await {
            Some(Ok(())) => schema::prepare(&mut client, &place, durability).await,
            Some(Err(error)) => Err(OpenPostgresError::Schema(error)),
            None => Err(silent()),
        };
        connection.abort();
        prepared
    }

    pub(super) async fn find(&self, store: StoreId) -> Result<Option<Found>, StoreError> {
        let found =
            self.ask(|client| Box::pin(async move { statement::find(client, &store).await }));
        found.await.map_err(Failure::unavailable)
    }

    pub(super) async fn find_by_key(&self, key: i64) -> Result<Option<Found>, StoreError> {
        let found = self.ask(|client| Box::pin(statement::find_by_key(client, key)));
        found.await.map_err(Failure::unavailable)
    }

    pub(super) async fn create(
        &self,
        store: StoreId,
        backend_id: String,
        limit: Option<i64>,
    ) -> Result<(), StoreError> {
        let created = self.ask(move |client| {
            Box::pin(async move { statement::create(client, &store, &backend_id, limit).await })
        });
        created.await.map_err(Failure::unavailable)
    }

    /// Appends events to the store with this key, if it has at most so many bytes before them.
    pub(super) async fn append(
        &self,
        (key, events, size, most_before): (i64, Arc<[StoredEvent]>, u64, u64),
    ) -> Result<bool, Failure> {
        self.ask_often(|client, sending| {
            let events = Arc::clone(&events);
            Box::pin(async move {
                let ends = (events.first(), events.last());
                let (Some(first), Some(last)) = ends else { return Ok(true) };
                let batch = Batch {
                    key,
                    events: &events,
                    parent: first.event().parent.cast_signed(),
                    last: last.event().seq.cast_signed(),
                    size: size.cast_signed(),
                    most_before: i64::try_from(most_before).unwrap_or(i64::MAX),
                };
                statement::append(client, sending, &batch).await
            })
        })
        .await
    }

    /// Returns the events after `after`: at most `size`, or fewer if they are large, or none if there
    /// are none.
    pub(super) async fn page(
        &self,
        key: i64,
        after: u64,
        size: u32,
    ) -> Result<EventPage, StoreError> {
        let size = i64::from(size);
        let Ok(after) = i64::try_from(after) else { return Ok(Vec::new()) };
        let rows = self.ask_often(|client, sending| {
            Box::pin(statement::page(client, sending, key, after, size))
        });
        let rows = rows.await.map_err(Failure::unavailable)?;
        Ok(rows.iter().map(|row| statement::event(key, row)).collect())
    }

    /// Returns whether the store has these very events.
    pub(super) async fn has(&self, key: i64, events: &[StoredEvent]) -> Result<bool, StoreError> {
        let mut rest = events;
        while let Some(first) = rest.first() {
            let page = self.page(key, first.event().parent, NEXT_PAGES).await?;
            if page.is_empty() {
                return Ok(false);
            }
            for stored in page {
                let Some((wanted, more)) = rest.split_first() else { return Ok(true) };
                if stored?.event().identity() != wanted.event().identity() {
                    return Ok(false);
                }
                rest = more;
            }
        }
        Ok(true)
    }

    pub(super) async fn list(&self) -> Result<Vec<(StoreId, StoreInfo)>, StoreError> {
        let rows = self.ask(|client| Box::pin(statement::list(client))).await;
        let rows = rows.map_err(Failure::unavailable)?;
        let failed = |problem: String| StoreError::Failed(problem);
        rows.iter()
            .map(|row| {
                let found = statement::found(row).map_err(|error| failed(error.to_string()))?;
                let id = row.try_get::<_, &[u8]>(4).map_err(|error| failed(error.to_string()))?;
                let id = std::str::from_utf8(id).map_err(|error| failed(error.to_string()))?;
                let id = StoreId::new(id).map_err(|error| failed(error.to_string()))?;
                Ok((id, found.info))
            })
            .collect()
    }

    pub(super) async fn heads_of(&self, keys: Vec<i64>) -> Result<Vec<(i64, u64)>, Failure> {
        self.ask(|client| Box::pin(async move { statement::heads(client, &keys).await })).await
    }

    pub(super) async fn is_read_only(&self) -> Result<bool, StoreError> {
        let answered = self.ask(|client| Box::pin(statement::is_read_only(client))).await;
        answered.map_err(Failure::unavailable)
    }

    /// Runs statements that return nothing.
    pub(super) async fn run(&self, statements: String) -> Result<(), Failure> {
        self.ask(|client| Box::pin(async move { client.batch_execute(&statements).await })).await
    }

    /// Asks with a statement that is prepared, as long as prepared statements last.
    async fn ask_often<T>(
        &self,
        question: impl for<'a> Fn(&'a mut Client, Sending) -> Answer<'a, T> + Send + Sync,
    ) -> Result<T, Failure> {
        let sending = match self.forgets_statements.load(Ordering::Relaxed) {
            true => Sending::Whole,
            false => Sending::Prepared,
        };
        match self.ask(|client| question(client, sending)).await {
            // Nothing has happened yet.
            Err(failure) if sending == Sending::Prepared && failure.lacks_statement() => {
                if !self.forgets_statements.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        "Postgres forgets prepared statements, as behind a PgBouncer in transaction mode: \
                         from now on, statements are sent whole"
                    );
                }
                self.ask(|client| question(client, Sending::Whole)).await
            }
            answered => answered,
        }
    }

    /// Asks on one of the connections, which is given up if another one may be better.
    pub(super) async fn ask<T>(
        &self,
        question: impl for<'a> FnOnce(&'a mut Client) -> Answer<'a, T> + Send,
    ) -> Result<T, Failure> {
        let mut client = match in_time(self.pool.get()).await {
            Some(Ok(client)) => client,
            Some(Err(error)) => return Err(Failure::Unreached(chain(&error))),
            None => return Err(Failure::Unreached("no connection was free in time".to_owned())),
        };
        let answered = match in_time(question(&mut client)).await {
            Some(answered) => answered.map_err(Failure::from),
            None => Err(Failure::Silent),
        };
        if answered.as_ref().is_err_and(Failure::concerns_connection) {
            drop(Object::take(client));
        }
        answered
    }
}

/// The error of a first connection.
fn not_let_in(place: String, error: tokio_postgres::Error) -> OpenPostgresError {
    let refusals = [
        SqlState::INVALID_PASSWORD,
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        SqlState::INVALID_CATALOG_NAME,
    ];
    let source = Box::new(error);
    match source.code() {
        Some(code) if refusals.contains(code) => OpenPostgresError::Refused { place, source },
        _ => OpenPostgresError::Unreachable { place, source },
    }
}
