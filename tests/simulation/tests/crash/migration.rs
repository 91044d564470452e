//! An eventlog of format 1, which opening brings to format 2.

use livestore::Durability;
use livestore::simulation::fs;
use rusqlite::{Connection, params};
use xxhash_rust::xxh3::xxh3_64;

use super::app::{Notes, text};
use super::enumerate::{Scenario, run};
use super::ledger::Said;
use super::machine::Machine;

#[test]
fn a_migration_keeps_every_event() {
    run(&[
        scenario("migrate, written", Durability::Written),
        scenario("migrate, synced", Durability::Synced),
    ]);
}

fn scenario(name: &'static str, durability: Durability) -> Scenario {
    let check = Machine::check::<Notes>;
    Scenario { name, durability, claims: durability, prepare, act, check }
}

/// More than are migrated at a time.
const EVENTS: u64 = 50;

/// The tables of format 1.
const FORMAT_1: &str = "
    PRAGMA journal_mode = WAL;
    CREATE TABLE eventlog (
      seq_global INTEGER NOT NULL,
      seq_client INTEGER NOT NULL,
      seq_generation INTEGER NOT NULL,
      parent_global INTEGER NOT NULL,
      parent_client INTEGER NOT NULL,
      parent_generation INTEGER NOT NULL,
      name TEXT NOT NULL,
      args TEXT NOT NULL,
      client_id TEXT NOT NULL,
      session_id TEXT NOT NULL,
      schema_hash INTEGER NOT NULL,
      checksum INTEGER NOT NULL,
      sync_metadata TEXT,
      PRIMARY KEY (seq_global, seq_client)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE meta (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    PRAGMA application_id = 0x4c536576;
    PRAGMA user_version = 1;
    INSERT INTO meta VALUES ('log_id', 'the log'), ('client_id', 'the client');
";

fn ids() -> impl Iterator<Item = (u64, String)> {
    (1..=EVENTS).map(|seq| (seq, format!("b{seq}")))
}

fn prepare(machine: &mut Machine) {
    let folder = machine.home().join("notes");
    fs::create_dir_all(&folder).unwrap();
    let log = Connection::open(folder.join("eventlog.db")).unwrap();
    log.execute_batch(FORMAT_1).unwrap();
    let (client, session, name) = ("the client", "static", "v1.NoteAdded");
    let insert = "INSERT INTO eventlog VALUES (?, 0, 0, ?, 0, 0, ?, ?, ?, ?, 7, ?, NULL)";
    for (seq, id) in ids() {
        let args = serde_json::json!({ "id": id, "text": text(&id) }).to_string();
        let checksum = checksum(seq, [name, &args, client, session]);
        let [seq, parent] = [seq, seq - 1].map(u64::cast_signed);
        log.execute(insert, params![seq, parent, name, args, client, session, checksum]).unwrap();
    }
}

/// As format 1 had it: over the place of the event before, the numbers, and each text with its
/// length.
fn checksum(seq: u64, texts: [&str; 4]) -> i64 {
    let numbers = [seq - 1, 0, seq, 0, 0, seq - 1, 0, 0, 7];
    let mut bytes: Vec<u8> = numbers.into_iter().flat_map(u64::to_le_bytes).collect();
    for text in texts {
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    xxh3_64(&bytes).cast_signed()
}

fn act(machine: &mut Machine) {
    for (_, id) in ids() {
        machine.ledger.write(&[id], Said::Promised);
    }
    let Some(store) = machine.open::<Notes>() else { return };
    machine.commit(&store, &["a1", "a2"]);
    machine.live_on(&store);
    machine.close(store);
}
