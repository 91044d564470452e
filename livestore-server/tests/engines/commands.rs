//! The commands, with an engine as the storage.

use std::path::Path;
use std::process::{Command, Output};

use livestore_server::store::{
    Durability, EventStore, PostgresStore, SqliteStore, StoreInfo, StoreLimits, StoredEvent,
};

use crate::kit::{append, ask, event, id, read};
use crate::nats::Nats;
use crate::postgres::Postgres;

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_livestore-server"));
    command.env_remove("LIVESTORE_STORAGE").env_remove("LIVESTORE_DATA");
    command.args(arguments).output().unwrap()
}

fn printed(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn complaint(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(!output.status.success(), "{arguments:?} succeeds");
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(!complaint.contains("secret"), "{complaint}");
    complaint
}

fn sqlite(directory: &Path) -> SqliteStore {
    SqliteStore::open(directory, Durability::Synced, StoreLimits::NONE).unwrap()
}

fn fill(storage: &dyn EventStore, store: &str, from: u64, to: u64) -> StoreInfo {
    ask(|reply| storage.open(&id(store), reply)).unwrap();
    let args = |n| format!(r#"{{"n":{n},"text":"{}"}}"#, "x".repeat((n % 700) as usize));
    let events: Vec<StoredEvent> = (from..to).map(|n| event(n, &args(n))).collect();
    for batch in events.chunks(100) {
        append(storage, &id(store), batch).unwrap();
    }
    ask(|reply| storage.open(&id(store), reply)).unwrap()
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask engines"]
fn stores_are_moved_between_engines_and_back() {
    let postgres = Postgres::start();
    let url = postgres.database("moved");
    let directory = tempfile::tempdir().unwrap();
    let old = directory.path().join("old");
    let storage = sqlite(&old);
    let (large, small) =
        (fill(&storage, "large", 0, 2_345), fill(&storage, "sm\u{e4}ll\u{0}", 0, 3));
    fill(&storage, "empty", 0, 0);
    let from = format!("sqlite:{}", old.display());

    let moved = printed(&["migrate", "--from", &from, "--to", &url]);
    assert!(moved.contains("2345 copied, 2345 compared\tlarge"), "{moved}");
    assert!(moved.contains("3 stores are the same in both"), "{moved}");
    let engine = PostgresStore::connect(&url, Durability::Synced, StoreLimits::NONE).unwrap();
    assert_eq!(engine.list(), storage.list());
    assert_eq!(read(&engine, &id("large")), read(&storage, &id("large")));

    // What came meanwhile is copied by running it again.
    fill(&storage, "large", 2_345, 2_400);
    drop(storage);
    let again = printed(&["migrate", "--from", &from, "--to", &url]);
    assert!(again.contains("55 copied, 2400 compared\tlarge"), "{again}");
    assert!(again.contains("0 copied, 3 compared\tsmäll"), "{again}");

    let back = directory.path().join("back");
    let to = format!("sqlite:{}", back.display());
    printed(&["migrate", "--from", &url, "--to", &to]);
    let listed = printed(&["list", "--storage", &url]);
    assert_eq!(listed, printed(&["list", "--storage", &to]));
    assert!(listed.contains(&large.backend_id) && listed.contains(&small.backend_id), "{listed}");
    let exported = printed(&["export", "large", "--storage", &url]);
    assert_eq!(exported, printed(&["export", "large", "--storage", &from]));

    // A store that went on elsewhere, and one of the same name, are not written over.
    fill(&engine, "large", 2_400, 2_401);
    let ahead = complaint(&["migrate", "--from", &from, "--to", &url]);
    assert!(ahead.contains("large: the new storage has events up to e2401"), "{ahead}");
    let third = directory.path().join("third");
    fill(&sqlite(&third), "large", 0, 1);
    let third = format!("sqlite:{}", third.display());
    let other = complaint(&["migrate", "--from", &third, "--to", &url]);
    assert!(other.contains("not a copy of this one"), "{other}");
    // Damage is found by the comparison.
    postgres.sql("moved", "DELETE FROM livestore.events WHERE seq = 1000");
    let damaged = complaint(&["migrate", "--from", &url, "--to", &to]);
    assert!(damaged.contains("large: "), "{damaged}");
}

#[test]
#[ignore = "needs PostgreSQL and nats-server: cargo xtask engines"]
fn stores_are_moved_between_any_engines() {
    let postgres = Postgres::start();
    let nats = Nats::start();
    let directory = tempfile::tempdir().unwrap();
    let old = directory.path().join("old");
    fill(&sqlite(&old), "large", 0, 2_345);
    let urls = [
        format!("sqlite:{}", old.display()),
        nats.url(),
        postgres.database("moved"),
        format!("sqlite:{}", directory.path().join("new").display()),
    ];
    for (from, to) in urls.iter().zip(&urls[1..]) {
        let moved = printed(&["migrate", "--from", from, "--to", to]);
        assert!(moved.contains("2345 copied, 2345 compared\tlarge"), "{moved}");
    }
    let export = |url: &str| printed(&["export", "large", "--storage", url]);
    assert_eq!(export(&urls[0]), export(&urls[1]));
    assert_eq!(export(&urls[0]), export(&urls[3]));
    let list = |url: &str| printed(&["list", "--storage", url]);
    assert_eq!(list(&urls[0]), list(&urls[1]));
    assert_eq!(list(&urls[0]), list(&urls[3]));
}

#[test]
fn a_storage_that_nobody_can_mean_is_refused_without_its_password() {
    for (storage, reason) in [
        ("mysql://me:secret@db/app", "storage has to begin with sqlite:, postgres: or nats:"),
        ("secret", "storage has to begin with sqlite:, postgres: or nats:"),
        ("sqlite:", "sqlite: names no directory"),
        ("postgres://me:secret@127.0.0.1:1/app", "cannot connect to Postgres at 127.0.0.1:1"),
        ("postgres://me:secret@db:5432:1/app", "the Postgres URL cannot be read"),
        ("postgres://me:secret@db/app?connections=many", "connections is `many`"),
        ("nats://me:secret@127.0.0.1:1", "cannot connect to NATS at 127.0.0.1:1"),
        ("nats://me:secret@127.0.0.1:1?replicas=2", "replicas is `2`"),
    ] {
        let complaint = complaint(&["--storage", storage, "--listen", "127.0.0.1:0"]);
        assert!(complaint.contains(reason), "{storage}: {complaint}");
    }
    let complaint = complaint(&["migrate", "--from", "sqlite:a", "--to", "sqlite:a"]);
    assert!(complaint.contains("from and to are the same storage"), "{complaint}");
}

#[test]
fn a_database_is_backed_up_by_its_own_means() {
    let backup = complaint(&["backup", "/nowhere", "--storage", "postgres://me:secret@db/app"]);
    assert!(backup.contains("pg_dump"), "{backup}");
}
