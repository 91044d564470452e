//! The disk itself: SQLite works on it, and it forgets and fails as it is told.
#![cfg(simulation)]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test, not an API"
)]

use std::fs::TryLockError;
use std::io::{Read, Write};
use std::path::Path;

use livestore::simulation::fs::{self, File};
use livestore_simulation::disk::{CrashKind, Disk, Fault, Faults, Op, Strike};
use rusqlite::{Connection, ErrorCode};

const SEEDS: u64 = 60;

#[test]
fn three_connections_share_a_write_ahead_log() {
    let disk = new_disk("three");
    let [writer, reader, checkpointer] = [(); 3].map(|()| open(&disk, "WAL", "NORMAL"));
    let before = reader.unchecked_transaction().unwrap();
    assert_eq!(count(&before), 0);
    for n in 1..=500 {
        insert(&writer, n).unwrap();
        if n % 100 == 0 {
            checkpointer.query_row("PRAGMA wal_checkpoint", (), |_| Ok(())).unwrap();
        }
    }
    assert_eq!(count(&before), 0, "a reader keeps what it began with");
    drop(before);
    assert_eq!(count(&reader), 500);
    let busy: i64 =
        checkpointer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0)).unwrap();
    assert_eq!(busy, 0);
    assert_eq!(bytes(&disk.root().join("db-wal")), b"");
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = reader.execute_batch("BEGIN IMMEDIATE").unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy));
    drop((writer, reader, checkpointer));
    assert!(!fs::exists(disk.root().join("db-wal")).unwrap());
    assert_eq!(whole(&disk), (1..=500).collect::<Vec<_>>());
}

#[test]
fn a_rollback_journal_undoes_what_a_crash_cut_off() {
    for seed in 0..SEEDS {
        let disk = new_disk(&format!("journal-{seed}"));
        let connection = open(&disk, "DELETE", "FULL");
        (1..=20).for_each(|n| insert(&connection, n).unwrap());
        connection
            .execute_batch("PRAGMA cache_size = 2; BEGIN; UPDATE t SET text = zeroblob(2000)")
            .unwrap();
        let kind = if seed == 0 { CrashKind::Process } else { CrashKind::PowerLoss { seed } };
        crash(&disk, kind);
        drop(connection);
        assert_eq!(whole(&disk), (1..=20).collect::<Vec<_>>(), "seed {seed}");
    }
}

#[test]
fn what_is_synced_survives_a_loss_of_power() {
    // A rollback journal is synced away in `EXTRA` only, as SQLite's documentation says.
    for (mode, synchronous) in [("WAL", "FULL"), ("DELETE", "EXTRA")] {
        for seed in 0..SEEDS {
            let disk = new_disk(&format!("full-{mode}-{seed}"));
            let connection = open(&disk, mode, synchronous);
            (1..=30).for_each(|n| insert(&connection, n).unwrap());
            crash(&disk, CrashKind::PowerLoss { seed });
            drop(connection);
            assert_eq!(whole(&disk), (1..=30).collect::<Vec<_>>(), "{mode}, seed {seed}");
        }
    }
}

#[test]
fn what_is_only_written_loses_no_more_than_its_end() {
    let mut lost = 0;
    for seed in 0..SEEDS {
        let disk = new_disk(&format!("normal-{seed}"));
        let connection = open(&disk, "WAL", "NORMAL");
        connection.query_row("PRAGMA wal_checkpoint", (), |_| Ok(())).unwrap();
        (1..=30).for_each(|n| insert(&connection, n).unwrap());
        crash(&disk, CrashKind::PowerLoss { seed });
        drop(connection);
        let left = whole(&disk);
        assert_eq!(left, (1..=left.len() as i64).collect::<Vec<_>>(), "seed {seed}");
        lost += 30 - left.len();
    }
    assert!(lost > 0, "no seed has lost anything");
}

#[test]
fn what_a_lying_disk_has_synced_may_be_lost() {
    let lost = (0..SEEDS).filter(|&seed| {
        let disk = new_disk(&format!("lies-{seed}"));
        let connection = open(&disk, "WAL", "FULL");
        strike(&disk, Strike { point: 0, fault: Fault::SyncLies, lasting: true });
        (1..=30).for_each(|n| insert(&connection, n).unwrap());
        crash(&disk, CrashKind::PowerLoss { seed });
        drop(connection);
        whole(&disk).len() < 30
    });
    assert!(lost.count() > 0);
}

#[test]
fn a_crash_of_the_process_loses_nothing_that_was_written() {
    let disk = new_disk("process");
    let connection = open(&disk, "WAL", "OFF");
    (1..=30).for_each(|n| insert(&connection, n).unwrap());
    crash(&disk, CrashKind::Process);
    drop(connection);
    assert_eq!(whole(&disk), (1..=30).collect::<Vec<_>>());
}

#[test]
fn a_full_disk_is_told_and_may_have_room_again() {
    let disk = new_disk("full");
    let connection = open(&disk, "WAL", "NORMAL");
    strike(&disk, Strike { point: 0, fault: Fault::Full, lasting: true });
    let error = insert(&connection, 1).unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(ErrorCode::DiskFull));
    assert_eq!(count(&connection), 0);
    disk.set_faults(disk.root(), Faults::default());
    insert(&connection, 1).unwrap();
    drop(connection);
    assert_eq!(whole(&disk), [1]);
}

#[test]
fn a_torn_write_is_noticed_and_undone() {
    let writes = {
        let disk = new_disk("torn");
        let connection = open(&disk, "WAL", "FULL");
        strike(&disk, Strike { point: u64::MAX, fault: Fault::Tear, lasting: false });
        insert(&connection, 1).unwrap();
        disk.points(disk.root())
    };
    assert!(writes.by_op[&Op::Write] > 1);
    for point in (0..writes.count).filter(|at| writes.log[*at as usize] == Op::Write) {
        for fault in [Fault::Tear, Fault::TearAndCrash] {
            let disk = new_disk(&format!("torn-{point}"));
            let connection = open(&disk, "WAL", "FULL");
            strike(&disk, Strike { point, fault, lasting: false });
            insert(&connection, 1).unwrap_err();
            assert_eq!(disk.points(disk.root()).struck[&fault], 1);
            assert_eq!(disk.is_down(disk.root()), fault == Fault::TearAndCrash);
            crash(&disk, CrashKind::Process);
            drop(connection);
            assert_eq!(whole(&disk), [0; 0]);
        }
    }
}

#[test]
fn what_was_open_before_a_crash_is_dead() {
    let disk = new_disk("dead");
    let former = open(&disk, "WAL", "FULL");
    insert(&former, 1).unwrap();
    let mut file = File::create(disk.root().join("file")).unwrap();
    file.write_all(b"before").unwrap();
    disk.crash(disk.root(), CrashKind::Process);
    assert!(Connection::open(disk.root().join("db")).is_err(), "nobody is there to open it");
    disk.restart(disk.root());
    let now = open(&disk, "WAL", "FULL");
    insert(&now, 2).unwrap();
    insert(&former, 3).unwrap_err();
    file.write_all(b"after").unwrap_err();
    drop((former, file));
    insert(&now, 4).unwrap();
    drop(now);
    assert_eq!(whole(&disk), [1, 2, 4]);
    assert_eq!(bytes(&disk.root().join("file")), b"before");
}

#[test]
fn a_crash_at_a_point_ends_the_process_there() {
    let disk = new_disk("at-point");
    let connection = open(&disk, "WAL", "FULL");
    let fault = Fault::Crash(CrashKind::PowerLoss { seed: 7 });
    strike(&disk, Strike { point: 3, fault, lasting: false });
    insert(&connection, 1).unwrap_err();
    assert!(disk.is_down(disk.root()));
    assert_eq!(disk.points(disk.root()).count, 4);
    disk.restart(disk.root());
    drop(connection);
    assert_eq!(whole(&disk), [0; 0]);
}

#[test]
fn a_new_name_is_durable_once_its_folder_is() {
    let renamed = |name: &str, seed, sync: bool| {
        let disk = new_disk(&format!("{name}-{seed}"));
        let [old, new] = ["old", "new"].map(|name| disk.root().join(name));
        for (path, bytes) in [(&new, b"before"), (&old, b"behind")] {
            let mut file = File::create(path).unwrap();
            file.write_all(bytes).unwrap();
            file.sync_all().unwrap();
        }
        fs::rename(&old, &new).unwrap();
        if sync {
            File::open(disk.root()).unwrap().sync_all().unwrap();
        }
        crash(&disk, CrashKind::PowerLoss { seed });
        (bytes(&new), fs::exists(&old).unwrap())
    };
    let unsynced: Vec<_> = (0..SEEDS).map(|seed| renamed("unsynced", seed, false)).collect();
    assert!(unsynced.contains(&(b"before".to_vec(), true)));
    assert!(unsynced.contains(&(b"behind".to_vec(), false)));
    for seed in 0..SEEDS {
        assert_eq!(renamed("synced", seed, true), (b"behind".to_vec(), false));
    }
}

#[test]
fn a_lock_is_one_process_s_until_it_ends() {
    let disk = new_disk("lock");
    let path = disk.root().join("lock");
    let [first, second] = [(); 2].map(|()| File::options().open(&path).unwrap());
    first.try_lock().unwrap();
    assert!(matches!(second.try_lock(), Err(TryLockError::WouldBlock)));
    first.unlock().unwrap();
    second.try_lock().unwrap();
    crash(&disk, CrashKind::Process);
    File::options().open(&path).unwrap().try_lock().unwrap();
    drop((first, second));
}

#[test]
fn a_copy_can_be_put_back() {
    let disk = new_disk("copy");
    let connection = open(&disk, "WAL", "NORMAL");
    insert(&connection, 1).unwrap();
    let image = disk.backup(disk.root());
    insert(&connection, 2).unwrap();
    disk.restore(disk.root(), &image);
    insert(&connection, 3).unwrap_err();
    drop(connection);
    assert_eq!(whole(&disk), [1]);
}

fn new_disk(world: &str) -> Disk {
    let disk = Disk::new(world);
    disk.install();
    disk
}

/// Opens the database, which has one table.
fn open(disk: &Disk, journal: &str, synchronous: &str) -> Connection {
    let connection = Connection::open(disk.root().join("db")).unwrap();
    connection.pragma_update(None, "journal_mode", journal).unwrap();
    connection.pragma_update(None, "synchronous", synchronous).unwrap();
    connection.execute_batch("CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, text)").unwrap();
    connection
}

fn insert(connection: &Connection, n: i64) -> rusqlite::Result<()> {
    connection.execute("INSERT INTO t VALUES (?1, hex(zeroblob(700)))", (n,)).map(|_| ())
}

fn count(connection: &Connection) -> i64 {
    connection.query_row("SELECT count(*) FROM t", (), |row| row.get(0)).unwrap()
}

/// All rows, of a database that is whole.
fn whole(disk: &Disk) -> Vec<i64> {
    let connection = Connection::open(disk.root().join("db")).unwrap();
    let check: String =
        connection.query_row("PRAGMA integrity_check", (), |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let mut select = connection.prepare("SELECT n FROM t ORDER BY n").unwrap();
    let rows = select.query_map((), |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn crash(disk: &Disk, kind: CrashKind) {
    disk.crash(disk.root(), kind);
    disk.restart(disk.root());
}

fn strike(disk: &Disk, strike: Strike) {
    disk.set_faults(disk.root(), Faults { at: Some(strike), chance: None, log: true });
}

fn bytes(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    File::open(path).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}
