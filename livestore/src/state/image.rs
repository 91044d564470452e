//! Images: a state that a sync backend has made of a store's events, for a new client that would have to
//! replay all of them.
//!
//! An image is used only if it is whole, of this store, made under this schema, and a database with exactly
//! the tables, indexes and triggers that the schema makes. Whether its rows follow from the events, only a
//! replay of all events can say.

use std::fmt;
use std::ops::Range;

use livestore_protocol::SyncEvent;
use rusqlite::{Connection, MAIN_DB};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::{State, StateError};
use crate::event::{EncodedEvent, SeqNum};
use crate::eventlog::Base;
use crate::schema::SchemaDef;
use crate::sqlite::SqliteError;

const MAGIC: [u8; 8] = *b"LSimag\r\n";
const FORMAT: u32 = 1;
/// Magic, checksum of all that follows, length of the header.
const PREFIX: usize = 8 + 8 + 4;

/// A state, and the last event that it is made of.
pub(crate) struct Image {
    header: Header,
    bytes: Vec<u8>,
    body: Range<usize>,
}

/// Why an image is not used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum ImageError {
    #[error("what the backend sent is not an image")]
    NotAnImage,
    #[error("the image is damaged: {0}")]
    Damaged(String),
    #[error("the image has format {0}, this version reads {FORMAT}")]
    OtherFormat(u32),
    #[error("the image is of the store \"{0}\"")]
    OtherStore(String),
    #[error("the image was made under another schema")]
    OtherSchema,
    #[error("the image has other tables, indexes or triggers than the schema: {0}")]
    OtherTables(String),
    #[error(transparent)]
    State(#[from] StateError),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    format: u32,
    store_id: String,
    backend_id: String,
    schema_hash: i64,
    /// The checksum of the event before the last one.
    before: i64,
    last: Last,
    length: u64,
}

/// The last event.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Last {
    seq: u64,
    name: String,
    args: String,
    client_id: String,
    session_id: String,
    metadata: Option<String>,
}

/// Where an image belongs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) store_id: &'a str,
    /// The backend whose order the events have.
    pub(crate) backend_id: &'a str,
    /// The checksum of the event before the last one.
    pub(crate) before: i64,
    /// The last event.
    pub(crate) last: &'a EncodedEvent,
}

impl Image {
    /// Writes an image of the state, which has nothing pending.
    pub(crate) fn encode(state: &mut State, origin: Origin<'_>) -> Result<Vec<u8>, StateError> {
        let schema_hash = state.schema.hash()?;
        let body = state.db.connection_mut().serialize(MAIN_DB).map_err(SqliteError::from)?;
        let Origin { store_id, backend_id, before, last } = origin;
        let metadata = last.sync_metadata.clone();
        let event = SyncEvent::from(last);
        let header = Header {
            format: FORMAT,
            store_id: store_id.to_owned(),
            backend_id: backend_id.to_owned(),
            schema_hash,
            before,
            last: Last {
                seq: event.seq,
                name: event.name,
                args: event.args,
                client_id: event.client_id.to_string(),
                session_id: event.session_id.to_string(),
                metadata,
            },
            length: body.len() as u64,
        };
        let header = serde_json::json!(header).to_string();
        let mut bytes = Vec::with_capacity(PREFIX + header.len() + body.len());
        bytes.extend(MAGIC);
        bytes.extend([0; 8]);
        bytes.extend(u32::try_from(header.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(&*body);
        let checksum = checksum(&bytes).unwrap_or_default();
        if let Some(place) = bytes.get_mut(8..16) {
            place.copy_from_slice(&checksum.to_le_bytes());
        }
        Ok(bytes)
    }

    /// Reads an image, if it is whole, of this store, and was made under a schema with this hash.
    pub(crate) fn decode(
        bytes: Vec<u8>,
        store_id: &str,
        schema_hash: i64,
    ) -> Result<Self, ImageError> {
        let (checksum_there, length) = prefix(&bytes).ok_or(ImageError::NotAnImage)?;
        if checksum(&bytes) != Some(checksum_there) {
            return Err(damaged(&"its checksum does not match"));
        }
        let begin = PREFIX.saturating_add(length);
        let header = bytes.get(PREFIX..begin).ok_or_else(|| damaged(&"it is cut short"))?;
        let format: Format = serde_json::from_slice(header).map_err(|error| damaged(&error))?;
        if format.format != FORMAT {
            return Err(ImageError::OtherFormat(format.format));
        }
        let header: Header = serde_json::from_slice(header).map_err(|error| damaged(&error))?;
        let body = begin..bytes.len();
        if header.length != body.len() as u64 || header.last.seq == 0 {
            return Err(damaged(&"its length is wrong"));
        }
        if header.store_id != store_id {
            return Err(ImageError::OtherStore(header.store_id));
        }
        if header.schema_hash != schema_hash {
            return Err(ImageError::OtherSchema);
        }
        Ok(Self { header, bytes, body })
    }

    /// The backend whose order the events have.
    pub(crate) fn backend_id(&self) -> &str {
        &self.header.backend_id
    }

    /// The place behind which the log of a client begins that has this image.
    pub(crate) fn base(&self) -> Base {
        Base { seq: self.header.last.seq - 1, checksum: self.header.before }
    }

    /// The last event that the state is made of.
    pub(crate) fn last(&self) -> EncodedEvent {
        let Last { seq, name, args, client_id, session_id, metadata } = &self.header.last;
        EncodedEvent::from(SyncEvent {
            seq: *seq,
            parent: seq - 1,
            name: name.clone(),
            args: args.clone(),
            client_id: client_id.as_str().into(),
            session_id: session_id.as_str().into(),
            metadata: metadata.clone(),
        })
    }

    /// The state's database.
    pub(crate) fn body(&self) -> &[u8] {
        self.bytes.get(self.body.clone()).unwrap_or_default()
    }

    /// Returns the state, if it is a sound database with the tables of the schema.
    pub(crate) fn state(&self, schema: &'static SchemaDef) -> Result<State, ImageError> {
        let body = self.body();
        let mut conn = Connection::open_in_memory().map_err(|error| damaged(&error))?;
        conn.deserialize_read_exact(MAIN_DB, body, body.len(), false)
            .map_err(|error| damaged(&error))?;
        let mut expected = State::empty(schema)?;
        let expected = objects(expected.db.connection_mut()).map_err(|error| damaged(&error))?;
        let found = objects(&conn).map_err(|error| damaged(&error))?;
        if let Some(name) = difference(&expected, &found) {
            return Err(ImageError::OtherTables(name));
        }
        let mut state = State::over(conn, schema).map_err(|error| damaged(&error))?;
        check_pages(state.db.connection_mut())?;
        state.head = SeqNum::new(self.header.last.seq);
        Ok(state)
    }
}

/// The part of every format's header that says which one it is.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

/// The checksum and the header's length.
fn prefix(bytes: &[u8]) -> Option<(u64, usize)> {
    let (magic, rest) = bytes.split_first_chunk::<8>()?;
    let (checksum, rest) = rest.split_first_chunk()?;
    let (length, _) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    (*magic == MAGIC).then_some((u64::from_le_bytes(*checksum), length))
}

/// The checksum of what follows the place of the checksum.
fn checksum(bytes: &[u8]) -> Option<u64> {
    bytes.get(16..).map(xxh3_64)
}

/// Has SQLite look at every page of a database that a stranger may have made.
fn check_pages(conn: &Connection) -> Result<(), ImageError> {
    let check = || {
        conn.pragma_update(None, "cell_size_check", true)?;
        conn.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
    };
    match check() {
        Ok(answer) if answer == "ok" => Ok(()),
        Ok(problem) => Err(damaged(&problem)),
        Err(error) => Err(damaged(&error)),
    }
}

/// Kind, name, table and SQL of everything in the database, by name.
fn objects(conn: &Connection) -> rusqlite::Result<Vec<[Option<String>; 4]>> {
    let select = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name";
    let mut statement = conn.prepare(select)?;
    let rows =
        statement.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))?;
    rows.collect()
}

/// The name of the first thing that is in one and not in the other.
fn difference(expected: &[[Option<String>; 4]], found: &[[Option<String>; 4]]) -> Option<String> {
    let missing = |these: &[[Option<String>; 4]], those: &[[Option<String>; 4]]| {
        let object = these.iter().find(|object| !those.contains(object))?;
        object.get(1).cloned().flatten()
    };
    if expected == found {
        return None;
    }
    let name = missing(expected, found).or_else(|| missing(found, expected));
    Some(name.unwrap_or_default())
}

fn damaged(error: &dyn fmt::Display) -> ImageError {
    ImageError::Damaged(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[table]
    struct Item {
        #[column(primary_key)]
        id: i64,
        text: String,
    }

    #[derive(Event)]
    #[event(name = "v1.Put")]
    struct Put {
        id: i64,
    }

    impl Materialize for Put {
        fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
            state.insert(&Item { id: self.id, text: "x".repeat(300) })
        }
    }

    crate::schema! { App { tables: [Item], events: [Put] } }

    fn schema() -> &'static SchemaDef {
        <App as crate::schema::Schema>::def()
    }

    /// The image of a state with rows, in which this SQL has been run.
    fn image(sql: &str) -> Vec<u8> {
        let mut state = State::empty(schema()).unwrap();
        for id in 0..100 {
            let insert = format!("INSERT INTO item VALUES ({id}, 'text {id}')");
            state.db.connection_mut().execute_batch(&insert).unwrap();
        }
        state.db.connection_mut().execute_batch(sql).unwrap();
        let (at, before) = (SeqNum::new(7), SeqNum::new(6));
        let session = "static~V1StGXR8_Z5jdHi6B-myT".into();
        let last = EncodedEvent {
            continues: true,
            sync_metadata: Some("{\"a\":1}".into()),
            ..EncodedEvent::new(at, before, "v1.Put", "{\"id\":1}", "c".into(), session)
        };
        let origin = Origin { store_id: "s", backend_id: "b", before: 42, last: &last };
        Image::encode(&mut state, origin).unwrap()
    }

    fn state(bytes: Vec<u8>) -> Result<State, ImageError> {
        Image::decode(bytes, "s", schema().hash().unwrap())?.state(schema())
    }

    #[test]
    fn an_image_has_the_state_and_its_last_event() {
        let image = Image::decode(image(""), "s", schema().hash().unwrap()).unwrap();
        assert_eq!((image.backend_id(), image.base()), ("b", Base { seq: 6, checksum: 42 }));
        let last = image.last();
        assert_eq!((last.seq, last.parent), (SeqNum::new(7), SeqNum::new(6)));
        assert_eq!((&*last.name, &*last.args, last.continues), ("v1.Put", "{\"id\":1}", true));
        assert_eq!(last.sync_metadata.as_deref(), Some("{\"a\":1}"));
        let state = image.state(schema()).unwrap();
        assert_eq!(state.head, SeqNum::new(7));
        assert_eq!(state.size().unwrap(), image.body().len() as u64);
    }

    #[test]
    fn an_image_of_another_store_or_schema_is_not_used() {
        let hash = schema().hash().unwrap();
        let other = Image::decode(image(""), "t", hash).map(drop);
        assert_eq!(other, Err(ImageError::OtherStore("s".into())));
        let other = Image::decode(image(""), "s", hash + 1).map(drop);
        assert_eq!(other, Err(ImageError::OtherSchema));
    }

    #[test]
    fn an_image_with_more_than_the_schema_is_not_used() {
        for (sql, name) in [
            ("CREATE TABLE more (id INTEGER)", "more"),
            ("CREATE VIEW v AS SELECT * FROM item", "v"),
            ("CREATE INDEX by_text ON item (text)", "by_text"),
            ("CREATE TRIGGER t AFTER INSERT ON item BEGIN DELETE FROM item; END", "t"),
            ("DROP TABLE item", "item"),
            ("DROP TABLE item; CREATE TABLE item (id INTEGER PRIMARY KEY, text TEXT)", "item"),
        ] {
            let refused = state(image(sql)).map(drop);
            assert!(matches!(&refused, Err(ImageError::OtherTables(_))), "{sql}: {refused:?}");
            assert!(refused.unwrap_err().to_string().contains(name), "{sql}");
        }
    }

    #[test]
    fn an_image_that_sqlite_cannot_use_is_not_used() {
        let whole = image("");
        let begin = whole.windows(15).position(|bytes| bytes == b"SQLite format 3").unwrap();
        let mut refused = 0;
        for at in (begin..whole.len()).step_by(97) {
            // As somebody does who can make the checksum right.
            let mut forged = whole.clone();
            forged[at] ^= 0xff;
            let right = checksum(&forged).unwrap();
            forged[8..16].copy_from_slice(&right.to_le_bytes());
            match state(forged) {
                // A row may have any text.
                Ok(state) => drop(state.hash()),
                Err(_) => refused += 1,
            }
        }
        assert!(refused > 10, "{refused}");
    }

    #[test]
    fn bytes_that_are_cut_or_flipped_are_not_used() {
        let whole = image("");
        for cut in (0..whole.len()).step_by(whole.len() / 50) {
            assert!(state(whole[..cut].to_vec()).is_err(), "{cut}");
        }
        for at in (0..whole.len()).step_by(31) {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            assert!(state(flipped).is_err(), "{at}");
        }
    }
}
