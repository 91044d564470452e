//! The statements, and events as rows.

use deadpool_postgres::Client;
use livestore_protocol::{SyncEvent, Timestamp};
use tokio_postgres::{Error, Row};

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

pub(super) async fn find(client: &Client, store: &StoreId) -> Result<Option<Found>, Error> {
    const FIND: &str = "SELECT key, backend_id, head, bytes FROM livestore.stores WHERE id = $1";
    let find = client.prepare_cached(FIND).await?;
    let row = client.query_opt(&find, &[&store.as_str().as_bytes()]).await?;
    row.map(|row| found(&row)).transpose()
}

pub(super) async fn find_by_key(client: &Client, key: i64) -> Result<Option<Found>, Error> {
    const FIND: &str = "SELECT key, backend_id, head, bytes FROM livestore.stores WHERE key = $1";
    let find = client.prepare_cached(FIND).await?;
    let row = client.query_opt(&find, &[&key]).await?;
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
    let Some(limit) = limit else {
        return client.execute(CREATE, &[&id, &backend_id]).await.map(|_| ());
    };
    // Servers that count at the same time would exceed the limit together.
    let transaction = client.transaction().await?;
    transaction.query_one(LOCK, &[]).await?;
    let count = "SELECT count(*) FROM (SELECT 1 FROM livestore.stores LIMIT $1) AS counted";
    let count: i64 = transaction.query_one(count, &[&limit]).await?.try_get(0)?;
    if count < limit {
        transaction.execute(CREATE, &[&id, &backend_id]).await?;
    }
    transaction.commit().await
}

/// Appends events, if the store's head is their parent and there is room. Returns whether it was so.
pub(super) async fn append(client: &Client, batch: &Batch<'_>) -> Result<bool, Error> {
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
    let append = client.prepare_cached(APPEND).await?;
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
    let stored = client
        .execute(
            &append,
            &[
                key,
                parent,
                last,
                size,
                most_before,
                &seqs,
                &names,
                &args,
                &clients,
                &sessions,
                &created,
                &checksums,
            ],
        )
        .await?;
    Ok(stored > 0)
}

/// Returns the events after `after`, in order: at most `events`, and about a mebibyte.
pub(super) async fn page(
    client: &Client,
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
    let page = client.prepare_cached(PAGE).await?;
    client.query(&page, &[&key, &after, &events, &PAGE_BYTES]).await
}

pub(super) async fn list(client: &Client) -> Result<Vec<Row>, Error> {
    let list = "SELECT key, backend_id, head, bytes, id FROM livestore.stores ORDER BY id";
    client.query(list, &[]).await
}

/// Returns the heads of stores by their keys.
pub(super) async fn heads(client: &Client, keys: &[i64]) -> Result<Vec<(i64, u64)>, Error> {
    const HEADS: &str = "SELECT key, head FROM livestore.stores WHERE key = ANY($1)";
    let heads = client.prepare_cached(HEADS).await?;
    let rows = client.query(&heads, &[&keys]).await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get::<_, i64>(1)?.cast_unsigned())))
        .collect()
}

pub(super) async fn is_read_only(client: &Client) -> Result<bool, Error> {
    let ask = "SELECT current_setting('transaction_read_only') = 'on' OR pg_is_in_recovery()";
    client.query_one(ask, &[]).await?.try_get(0)
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
