//! An eventlog of LiveStore's own, `eventlog@6.db`, as its Node and Expo adapters have it on disk.

use std::path::Path;

use livestore::SeqNum;
use livestore::event::EncodedEvent;
use rusqlite::{Connection, OpenFlags, Row};

use super::{Take, Texts};
use crate::exit::{Failure, Result};

const SELECT: &str = "
    SELECT seqNumGlobal, seqNumClient, seqNumRebaseGeneration, parentSeqNumGlobal, parentSeqNumClient,
      parentSeqNumRebaseGeneration, name, argsJson, clientId, sessionId, schemaHash
    FROM eventlog ORDER BY seqNumGlobal, seqNumClient, seqNumRebaseGeneration";

/// What our own eventlogs have as their `application_id`.
const OURS: i64 = 0x4c53_6576;

pub(super) fn read(path: &Path, take: Take<'_>) -> Result {
    let in_file =
        |problem: &dyn std::fmt::Display| Failure::failed(format!("{}: {problem}", path.display()));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(|error| in_file(&error))?;
    let id = conn.pragma_query_value(None, "application_id", |row| row.get::<_, i64>(0));
    if id.map_err(|error| in_file(&error))? == OURS {
        let how =
            "it is the eventlog of a store of ours: `livestore export` its folder, and import that";
        return Err(in_file(&how));
    }
    let mut statement = conn
        .prepare(SELECT)
        .map_err(|error| in_file(&format!("it is not an eventlog of LiveStore's: {error}")))?;
    let mut rows = statement.query([]).map_err(|error| in_file(&error))?;
    let mut texts = Texts::default();
    while let Some(row) = rows.next().map_err(|error| in_file(&error))? {
        let event = event(row, &mut texts).map_err(|error| in_file(&error))?;
        take(event)
            .map_err(|failure| Failure::new(failure.exit, in_file(&failure.message()).error))?;
    }
    Ok(())
}

fn event(row: &Row<'_>, texts: &mut Texts) -> rusqlite::Result<EncodedEvent> {
    let seq_at = |column: usize| -> rusqlite::Result<SeqNum> {
        let number = |n: usize| row.get(column + n).map(i64::cast_unsigned);
        let mut seq = SeqNum::new(number(0)?);
        (seq.client, seq.generation) = (number(1)?, number(2)?);
        Ok(seq)
    };
    let text = |column: usize| row.get_ref(column).and_then(|value| Ok(value.as_str()?));
    let mut event = EncodedEvent::new(
        seq_at(0)?,
        seq_at(3)?,
        text(6)?.to_owned(),
        text(7)?.to_owned(),
        texts.client(text(8)?),
        texts.session(text(9)?),
    );
    event.schema_hash = row.get(10)?;
    Ok(event)
}
