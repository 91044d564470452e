//! Migrates format 1 to format 2, in place. It is one transaction, so a crash leaves a log in one
//! format or the other.
//!
//! Format 1 does not say which events were one commit: each one counts as its own. Its checksums
//! stand for single rows; they are checked, and made a chain. A row that was damaged before stays
//! damaged, and is reported when it is read.

use rusqlite::{Connection, Row, params};

use super::EventlogError;
use super::chain::{Chain, Parts, START};
use super::format::FORMAT;
use crate::event::SeqNum;

/// The number of rows that are read before they are written. A simulation is to see it.
const ROWS: i64 = if cfg!(simulation) { 20 } else { 1_000 };

const SELECT: &str = "
    SELECT seq_global, seq_client, seq_generation, parent_global, parent_client, parent_generation,
      schema_hash, name, args, client_id, session_id, checksum
    FROM eventlog WHERE (seq_global, seq_client) > (?, ?) ORDER BY seq_global, seq_client LIMIT ?";

const UPDATE: &str = "UPDATE eventlog SET checksum = ? WHERE seq_global = ? AND seq_client = ?";

/// Brings the log to format 2. It belongs to the store `store_id` from then on.
pub(super) fn migrate(conn: &Connection, store_id: &str) -> Result<(), EventlogError> {
    let transaction = conn.unchecked_transaction()?;
    convert(&transaction, store_id)?;
    transaction.commit()?;
    tracing::info!(format = FORMAT, "the eventlog was migrated to a new format");
    Ok(())
}

fn convert(conn: &Connection, store_id: &str) -> Result<(), EventlogError> {
    conn.execute_batch("ALTER TABLE eventlog ADD COLUMN continues INTEGER NOT NULL DEFAULT 0")?;
    chain_rows(conn)?;
    conn.execute("UPDATE meta SET key = 'history_id' WHERE key = 'log_id'", [])?;
    conn.execute("INSERT INTO meta VALUES ('store_id', ?)", [store_id])?;
    conn.pragma_update(None, "user_version", FORMAT)?;
    Ok(())
}

/// A row's place, and its new checksum.
type Chained = (SeqNum, i64);

/// Makes a chain of the rows' checksums.
fn chain_rows(conn: &Connection) -> Result<(), EventlogError> {
    let mut select = conn.prepare(SELECT)?;
    let mut update = conn.prepare(UPDATE)?;
    let mut chain = Chain::default();
    let mut last: Chained = (SeqNum::ROOT, START);
    loop {
        // No row is written while the statement reads.
        let mut page: Vec<Chained> = Vec::new();
        let mut rows = select.query(params![place(last.0).0, place(last.0).1, ROWS])?;
        while let Some(row) = rows.next()? {
            last = chained(row, last, &mut chain)?;
            page.push(last);
        }
        drop(rows);
        if page.is_empty() {
            return Ok(());
        }
        for (seq, checksum) in page {
            let (global, client) = place(seq);
            update.execute(params![checksum, global, client])?;
        }
    }
}

fn chained(
    row: &Row<'_>,
    (before, checksum): Chained,
    chain: &mut Chain,
) -> rusqlite::Result<Chained> {
    let number = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
    // A text of a damaged row need not be one.
    let text = |column| row.get_ref(column).and_then(|value| Ok(value.as_bytes()?));
    let parts = Parts {
        numbers: [
            number(0)?,
            number(1)?,
            number(2)?,
            number(3)?,
            number(4)?,
            number(5)?,
            number(6)?,
        ],
        texts: [text(7)?, text(8)?, text(9)?, text(10)?],
        continues: false,
    };
    let [global, client, generation, ..] = parts.numbers;
    let is_intact = chain.checksum_of_format_1(before, &parts) == row.get::<_, i64>(11)?;
    let fitting = chain.checksum(checksum, &parts);
    let checksum = if is_intact { fitting } else { !fitting };
    Ok((SeqNum { global, client, generation }, checksum))
}

fn place(seq: SeqNum) -> (i64, i64) {
    (seq.global.cast_signed(), seq.client.cast_signed())
}

#[cfg(test)]
mod tests;
