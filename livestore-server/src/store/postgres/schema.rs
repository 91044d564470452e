//! The tables, and their versions.

use tokio_postgres::{Client, Transaction};

use super::error::OpenPostgresError;
use crate::store::Durability;

/// The version of the tables, in `livestore.version`.
pub(super) const VERSION: i32 = 1;

/// Texts are `bytea`: they may have any character, which `text` may not, and their order and equality
/// are those of bytes in every database. `stores.head` is what appends compare and set. There is no
/// foreign key: it would cost a lookup for each event, and only appends to a store add events.
const SCHEMA: &str = "
    CREATE SCHEMA IF NOT EXISTS livestore;
    CREATE TABLE livestore.version (version integer NOT NULL);
    CREATE TABLE livestore.stores (
        key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id bytea NOT NULL UNIQUE,
        backend_id text NOT NULL UNIQUE,
        head bigint NOT NULL DEFAULT 0,
        bytes bigint NOT NULL DEFAULT 0
    );
    CREATE TABLE livestore.events (
        store bigint NOT NULL, -- stores.key
        seq bigint NOT NULL,
        name bytea NOT NULL,
        args bytea NOT NULL,
        client_id bytea NOT NULL,
        session_id bytea NOT NULL,
        created_at bigint NOT NULL, -- milliseconds since 1970
        checksum bigint NOT NULL,
        PRIMARY KEY (store, seq)
    );
    INSERT INTO livestore.version VALUES (1);
";

/// The name of a lock of Postgres: only one server at a time creates what is missing.
pub(super) const LOCK: &str = "SELECT pg_advisory_xact_lock(7813556013452541523)";

/// Checks that the database can be used, and creates the schema if it is missing.
pub(super) async fn prepare(
    client: &mut Client,
    place: &str,
    durability: Durability,
) -> Result<(), OpenPostgresError> {
    let schema = OpenPostgresError::Schema;
    let settings = client
        .query_typed_one(
            "SELECT current_setting('transaction_read_only') = 'on' OR pg_is_in_recovery(),
                    current_setting('fsync'), current_setting('synchronous_commit')",
            &[],
        )
        .await
        .map_err(schema)?;
    let place = || place.to_owned();
    if settings.try_get(0).map_err(schema)? {
        return Err(OpenPostgresError::ReadOnly { place: place() });
    }
    if durability == Durability::Synced {
        for (index, setting) in [(1, "fsync"), (2, "synchronous_commit")] {
            let value: String = settings.try_get(index).map_err(schema)?;
            if value == "off" {
                return Err(OpenPostgresError::NotDurable { place: place(), setting, value });
            }
        }
    }
    let transaction = client.transaction().await.map_err(schema)?;
    transaction.query_typed_one(LOCK, &[]).await.map_err(schema)?;
    match version(&transaction).await.map_err(schema)? {
        Some(VERSION) => {}
        Some(found) => return Err(OpenPostgresError::Version { found }),
        None => transaction.batch_execute(SCHEMA).await.map_err(schema)?,
    }
    transaction.commit().await.map_err(schema)
}

async fn version(transaction: &Transaction<'_>) -> Result<Option<i32>, tokio_postgres::Error> {
    let exists = "SELECT to_regclass('livestore.version') IS NOT NULL";
    if !transaction.query_typed_one(exists, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(None);
    }
    let version = "SELECT max(version) FROM livestore.version";
    let row = transaction.query_typed_one(version, &[]).await?;
    Ok(Some(row.try_get::<_, Option<i32>>(0)?.unwrap_or(0)))
}
