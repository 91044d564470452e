use rusqlite::types::Value;
use rusqlite::{Connection, params};
use xxhash_rust::xxh3::xxh3_64;

use crate::bytes::Bytes;
use crate::home::{Home, original, use_all};

/// Changes of rows. A store opens over them with the true events, or says what is wrong.
///
/// With the first bit set the rows' checksums are made to fit: then they are any events.
pub fn eventlog(bytes: &[u8]) {
    let mut bytes = Bytes(bytes);
    let is_sealed = bytes.byte() & 1 == 1;
    let home = Home::with(&original().log, None);
    let log = Connection::open(home.log()).unwrap();
    for _ in 0..8 {
        if !bytes.is_empty() {
            // One that SQLite does not take changes nothing.
            let _ = change(&log, &mut bytes);
        }
    }
    if is_sealed {
        let _ = seal(&log);
    }
    drop(log);
    let Ok(store) = home.open() else { return };
    for (count, read) in store.events().into_iter().enumerate() {
        let Ok(mut event) = read else { break };
        if !is_sealed {
            event.sync_metadata = None;
            assert_eq!(original().events.get(count), Some(&event));
        }
    }
    use_all(&store);
}

const COLUMNS: [&str; 14] = [
    "seq_global",
    "seq_client",
    "seq_generation",
    "parent_global",
    "parent_client",
    "parent_generation",
    "name",
    "args",
    "client_id",
    "session_id",
    "schema_hash",
    "checksum",
    "sync_metadata",
    "continues",
];

const META: [&str; 6] =
    ["upstream_head", "rebase_generation", "backend_id", "store_id", "history_id", "client_id"];

fn change(log: &Connection, bytes: &mut Bytes<'_>) -> rusqlite::Result<usize> {
    let row = &original().events[bytes.below(original().events.len())].seq;
    let (global, client) = (row.global.cast_signed(), row.client.cast_signed());
    let what = bytes.below(COLUMNS.len() + META.len() + 3);
    if let Some(column) = COLUMNS.get(what) {
        let set = match bytes.byte() % 4 {
            // A text need not be UTF-8.
            0 => format!("{column} = CAST(?1 AS TEXT)"),
            _ => format!("{column} = ?1"),
        };
        let sql = format!("UPDATE eventlog SET {set} WHERE seq_global = ?2 AND seq_client = ?3");
        return log.execute(&sql, params![value(bytes), global, client]);
    }
    if let Some(key) = META.get(what - COLUMNS.len()) {
        let sql = "INSERT OR REPLACE INTO meta VALUES (?, CAST(? AS TEXT))";
        return log.execute(sql, params![key, value(bytes)]);
    }
    match what - COLUMNS.len() - META.len() {
        0 => log.execute(
            "DELETE FROM eventlog WHERE seq_global = ? AND seq_client = ?",
            params![global, client],
        ),
        1 => log.execute(
            "INSERT INTO event_shapes VALUES (CAST(? AS TEXT), CAST(? AS TEXT))",
            params![bytes.text(), bytes.text()],
        ),
        _ => log.execute("UPDATE event_shapes SET shape = CAST(? AS TEXT)", [bytes.text()]),
    }
}

fn value(bytes: &mut Bytes<'_>) -> Value {
    let extremes = [0, 1, -1, 2, i64::MAX, i64::MIN, i64::MAX - 1, 1 << 53];
    match bytes.byte() % 4 {
        0 => Value::Null,
        1 => Value::Integer(extremes[bytes.below(extremes.len())]),
        2 => Value::Text(String::from_utf8_lossy(bytes.text()).into_owned()),
        _ => Value::Blob(bytes.text().to_vec()),
    }
}

/// Writes the checksum that each row must have, over the one before it.
fn seal(log: &Connection) -> rusqlite::Result<()> {
    let mut select = log.prepare("SELECT * FROM eventlog ORDER BY seq_global, seq_client")?;
    let mut rows = select.query([])?;
    let mut checksum = 0_i64;
    while let Some(row) = rows.next()? {
        let number = |column: usize| row.get::<_, i64>(column);
        let mut bytes = checksum.to_le_bytes().to_vec();
        bytes.push(u8::from(number(13)? != 0));
        for column in [0, 1, 2, 3, 4, 5, 10] {
            bytes.extend(number(column)?.to_le_bytes());
        }
        for column in 6..10 {
            let text = row.get_ref(column)?.as_bytes()?;
            bytes.extend((text.len() as u64).to_le_bytes());
            bytes.extend(text);
        }
        checksum = xxh3_64(&bytes).cast_signed();
        log.execute(
            "UPDATE eventlog SET checksum = ? WHERE seq_global = ? AND seq_client = ?",
            params![checksum, number(0)?, number(1)?],
        )?;
    }
    Ok(())
}
