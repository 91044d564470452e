//! The same script gives the same bytes and points. In a program of its own, as SQLite's random
//! numbers are the whole process's.
#![cfg(simulation)]
#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]

use livestore_simulation::disk::{
    Chance, CrashKind, Dice, Disk, Fault, Faults, Image, Points, seed_sqlite,
};
use rusqlite::Connection;

#[test]
fn the_same_script_twice_gives_the_same_bytes_and_points() {
    for seed in 0..20 {
        let [first, second] = [(); 2].map(|()| script(seed));
        assert!(first.0.count > 100 && !first.0.struck.is_empty(), "{:?}", first.0);
        assert!(first == second, "seed {seed}");
    }
}

/// Writes through two connections, with faults, until power is lost.
fn script(seed: u64) -> (Points, Image, Image) {
    seed_sqlite(7);
    let disk = Disk::new("twice");
    let connections = [(); 2].map(|()| {
        let connection = Connection::open(disk.root().join("db")).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        connection
            .execute_batch("CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, text)")
            .unwrap();
        connection
    });
    let faults = vec![Fault::Fail, Fault::Full, Fault::Tear, Fault::SyncLies];
    let chance = Some(Chance { one_in: 30, faults, dice: Dice::new(seed) });
    disk.set_faults(disk.root(), Faults { at: None, chance, log: true });
    for n in 0..200 {
        let [writer, checkpointer] = &connections;
        let _ = writer.execute("INSERT INTO t VALUES (?1, hex(randomblob(300)))", (n,));
        if n % 50 == 0 {
            let _ = checkpointer.query_row("PRAGMA wal_checkpoint", (), |_| Ok(()));
        }
    }
    let written = disk.backup(disk.root());
    disk.crash(disk.root(), CrashKind::PowerLoss { seed });
    (disk.points(disk.root()), written, disk.backup(disk.root()))
}
