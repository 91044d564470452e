//! The statements, and events as rows.
//!
//! Those that are sent most, of [`append`] and [`page`], are prepared, because planning a small one takes
//! longer than executing it. A pooler such as PgBouncer may lend a connection for one transaction only, and
//! then a prepared statement may be gone, or be another server's of the same name. The two have different
//! numbers of parameters, so Postgres refuses to execute the wrong one. All others are sent whole, each time.

use deadpool_postgres::Client;
use livestore_protocol::{SyncEvent, Timestamp};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, Row, Statement};

use super::schema::LOCK;
use crate::store::{StoreError, StoreId, StoreInfo, StoredEvent, checksum};

/// A page has about this many bytes of args, or one event.
const PAGE_BYTES: i64 = 1 << 20;

/// A store, and the key of its events.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) key: i64,
    pub(super) info: StoreInfo,
}

/// Events to append to a store.
pub(super) struct Batch<'a> {
    pub(super) key: i64,
    pub(super) events: &'a [StoredEvent],
    /// The number of the event before the first one, and of the last one.
    pub(super) parent: i64,
    pub(super) last: i64,
    pub(super) size: i64,
    /// The most bytes that the store may have before them.
    pub(super) most_before: i64,
}

/// How [`append`] and [`page`] are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    /// Prepared, once for each connection.
    Prepared,
    /// Whole, each time.
    Whole,
}

/// A value, and its type, which Postgres then need not be asked for.
type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

pub(super) async fn find(client: &Client, store: &StoreId) -> Result<Option<Found>, Error> {
    const FIND: &str = "SELECT key, backend_id, head, bytes FROM livestore.stores WHERE id = $1";
    let row = client.query_typed_opt(FIND, &[(&store.as_str().as_bytes(), Type::BYTEA)]).await?;
    row.map(|row| found(&row)).transpose()
}

pub(super) async fn find_by_key(client: &Client, key: i64) -> Result<Option<Found>, Error> {
    const FIND: &str = "SELECT key, backend_id, head, bytes FROM livestore.stores WHERE key = $1";
    let row = client.query_typed_opt(FIND, &[(&key, Type::INT8)]).await?;
    row.map(|row| found(&row)).transpose()
}

/// Creates a store, unless there are `limit` stores. Whoever else creates it at the same time, one of
/// them does.
pub(super) async fn create(
    client: &mut Client,
    store: &StoreId,
    backend_id: &str,
    limit: Option<i64>,
) -> Result<(), Error> {
    const CREATE: &str = "INSERT INTO livestore.stores (id, backend_id) VALUES ($1, $2)
                          ON CONFLICT (id) DO NOTHING";
    let id = store.as_str().as_bytes();
    let store: [Parameter<'_>; 2] = [(&id, Type::BYTEA), (&backend_id, Type::TEXT)];
    let Some(limit) = limit else {
        return client.execute_typed(CREATE, &store).await.map(|_| ());
    };
    // Servers that count at the same time would exceed the limit together.
    let transaction = client.transaction().await?;
    transaction.query_typed_one(LOCK, &[]).await?;
    let count = "SELECT count(*) FROM (SELECT 1 FROM livestore.stores LIMIT $1) AS counted";
    let count = transaction.query_typed_one(count, &[(&limit, Type::INT8)]).await?;
    if count.try_get::<_, i64>(0)? < limit {
        transaction.execute_typed(CREATE, &store).await?;
    }
    transaction.commit().await
}

/// Appends events, if the store's head is their parent and there is room. Returns whether it was so.
pub(super) async fn append(
    client: &Client,
    sending: Sending,
    batch: &Batch<'_>,
) -> Result<bool, Error> {
    const APPEND: &str = "
        WITH store AS (
            UPDATE livestore.stores SET head = $3, bytes = bytes + $4
            WHERE key = $1 AND head = $2 AND bytes <= $5
            RETURNING key
        )
        INSERT INTO livestore.events
            (store, seq, name, args, client_id, session_id, created_at, checksum)
        SELECT store.key, event.* FROM store, unnest(
            $6::bigint[], $7::bytea[], $8::bytea[], $9::bytea[], $10::bytea[], $11::bigint[], $12::bigint[]
        ) AS event";
    let Batch { key, events, parent, last, size, most_before } = batch;
    let texts = |text: fn(&SyncEvent) -> &str| -> Vec<&[u8]> {
        events.iter().map(|stored| text(stored.event()).as_bytes()).collect()
    };
    let numbers =
        |number: &dyn Fn(&StoredEvent) -> i64| -> Vec<i64> { events.iter().map(number).collect() };
    let seqs = numbers(&|stored| stored.event().seq.cast_signed());
    let created = numbers(&|stored| stored.created_at().as_millis());
    let checksums = numbers(&|stored| checksum(place(*key, stored.event().seq), stored));
    let (names, args) = (texts(|event| &event.name), texts(|event| &event.args));
    let (clients, sessions) = (texts(|event| &event.client_id), texts(|event| &event.session_id));
    let parameters: [Parameter<'_>; 12] = [
        (key, Type::INT8),
        (parent, Type::INT8),
        (last, Type::INT8),
        (size, Type::INT8),
        (most_before, Type::INT8),
        (&seqs, Type::INT8_ARRAY),
        (&names, Type::BYTEA_ARRAY),
        (&args, Type::BYTEA_ARRAY),
        (&clients, Type::BYTEA_ARRAY),
        (&sessions, Type::BYTEA_ARRAY),
        (&created, Type::INT8_ARRAY),
        (&checksums, Type::INT8_ARRAY),
    ];
    let stored = match sending {
        Sending::Prepared => {
            let append = prepare(client, APPEND, &parameters).await?;
            client.execute(&append, &parameters.each_ref().map(|(value, _)| *value)).await?
        }
        Sending::Whole => client.execute_typed(APPEND, &parameters).await?,
    };
    Ok(stored > 0)
}

/// Returns the events after `after`, in order: at most `events`, and about a mebibyte.
pub(super) async fn page(
    client: &Client,
    sending: Sending,
    key: i64,
    after: i64,
    events: i64,
) -> Result<Vec<Row>, Error> {
    // The length of a value is known without reading it.
    const PAGE: &str = "
        SELECT seq, name, args, client_id, session_id, created_at, checksum FROM (
            SELECT *, sum(octet_length(args)) OVER (ORDER BY seq) - octet_length(args) AS before
            FROM (
                SELECT * FROM livestore.events WHERE store = $1 AND seq > $2 ORDER BY seq LIMIT $3
            ) AS first
        ) AS sized
        WHERE before < $4 ORDER BY seq";
    let parameters: [Parameter<'_>; 4] = [
        (&key, Type::INT8),
        (&after, Type::INT8),
        (&events, Type::INT8),
        (&PAGE_BYTES, Type::INT8),
    ];
    match sending {
        Sending::Prepared => {
            let page = prepare(client, PAGE, &parameters).await?;
            client.query(&page, &parameters.each_ref().map(|(value, _)| *value)).await
        }
        Sending::Whole => client.query_typed(PAGE, &parameters).await,
    }
}

/// Prepares a statement, unless this connection has it.
async fn prepare(
    client: &Client,
    statement: &str,
    parameters: &[Parameter<'_>],
) -> Result<Statement, Error> {
    let types: Vec<_> = parameters.iter().map(|(_, type_)| type_.clone()).collect();
    client.prepare_typed_cached(statement, &types).await
}

pub(super) async fn list(client: &Client) -> Result<Vec<Row>, Error> {
    let list = "SELECT key, backend_id, head, bytes, id FROM livestore.stores ORDER BY id";
    client.query_typed(list, &[]).await
}

/// Returns the heads of stores by their keys.
pub(super) async fn heads(client: &Client, keys: &[i64]) -> Result<Vec<(i64, u64)>, Error> {
    const HEADS: &str = "SELECT key, head FROM livestore.stores WHERE key = ANY($1)";
    let rows = client.query_typed(HEADS, &[(&keys, Type::INT8_ARRAY)]).await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get::<_, i64>(1)?.cast_unsigned())))
        .collect()
}

pub(super) async fn is_read_only(client: &Client) -> Result<bool, Error> {
    let ask = "SELECT current_setting('transaction_read_only') = 'on' OR pg_is_in_recovery()";
    client.query_typed_one(ask, &[]).await?.try_get(0)
}

/// Reads a store of [`find`] or [`list`].
pub(super) fn found(row: &Row) -> Result<Found, Error> {
    let number = |column: usize| row.try_get::<_, i64>(column).map(i64::cast_unsigned);
    let info = StoreInfo { backend_id: row.try_get(1)?, head: number(2)?, bytes: number(3)? };
    Ok(Found { key: row.try_get(0)?, info })
}

/// Reads an event of [`page`], if it is whole.
pub(super) fn event(key: i64, row: &Row) -> Result<StoredEvent, StoreError> {
    let of = |error: Error| StoreError::Failed(error.to_string());
    let seq = row.try_get::<_, i64>(0).map_err(of)?.cast_unsigned();
    let text = |column: usize| {
        let bytes = row.try_get::<_, &[u8]>(column).map_err(of)?;
        std::str::from_utf8(bytes).map_err(|_| StoreError::Corrupt { seq })
    };
    let event = SyncEvent {
        seq,
        parent: seq.saturating_sub(1),
        name: text(1)?.to_owned(),
        args: text(2)?.to_owned(),
        client_id: text(3)?.into(),
        session_id: text(4)?.into(),
        metadata: None,
    };
    let created_at = Timestamp::from_millis(row.try_get(5).map_err(of)?);
    let stored = StoredEvent::new(event, created_at);
    match row.try_get::<_, i64>(6).map_err(of)? == checksum(place(key, seq), &stored) {
        true => Ok(stored),
        false => Err(StoreError::Corrupt { seq }),
    }
}

/// What a checksum covers as the event's place.
fn place(key: i64, seq: u64) -> i64 {
    (key << 40) ^ seq.cast_signed()
}
