//! A Postgres on a disk that is really full: a small file system of its own, which only root can mount.

use std::fs;
use std::path::Path;
use std::process::Command;

use livestore_server::store::{
    Durability, EventStore, PostgresStore, StoreError, StoreLimits, StoredEvent,
};

use crate::kit::{append, ask, event, id, read};
use crate::postgres::Postgres;

/// A file system that is unmounted in the end.
struct Mounted<'a>(&'a Path);

impl<'a> Mounted<'a> {
    fn on(directory: &'a Path, bytes: u64) -> Self {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"]).arg(directory);
        let mounted = mount.output().unwrap();
        assert!(mounted.status.success(), "only root can mount a file system: {mounted:?}");
        Self(directory)
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}

/// Postgres, which cannot even write its log of changes then, may end. Nothing that was acknowledged is lost.
#[test]
#[ignore = "needs PostgreSQL, and root: cargo xtask engines"]
fn a_postgres_whose_disk_is_full_loses_nothing() {
    let around = tempfile::tempdir().unwrap();
    let _mounted = Mounted::on(around.path(), 200 << 20);
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(around.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut postgres = Postgres::start_in(tempfile::tempdir_in(around.path()).unwrap());
    let url = postgres.database("crowded");
    let storage = PostgresStore::connect(&url, Durability::Synced, StoreLimits::NONE).unwrap();
    let store = id("s");
    ask(|reply| storage.open(&store, reply)).unwrap();

    let args = format!(r#"{{"text":"{}"}}"#, incompressible(100_000));
    let (mut log, mut refused) = (Vec::new(), None);
    while refused.is_none() {
        let next = event(log.len() as u64, &args);
        match append(&storage, &store, std::slice::from_ref(&next)) {
            Ok(()) => log.push(next),
            Err(error) => refused = Some((next, error)),
        }
        assert!(log.len() < 2_000, "the disk is never full");
    }
    let (next, error) = refused.unwrap();
    let is_for_now = |error: &StoreError| {
        matches!(
            error,
            StoreError::DiskFull | StoreError::Unavailable(_) | StoreError::Uncertain(_)
        )
    };
    assert!(is_for_now(&error), "{error:?}");

    // There is space again, and somebody starts Postgres if it has ended.
    Command::new("mount").args(["-o", "remount,size=1g"]).arg(around.path()).status().unwrap();
    postgres.crash();
    postgres.up();
    let mut stored = append(&storage, &store, std::slice::from_ref(&next));
    while stored.as_ref().is_err_and(is_for_now) {
        stored = append(&storage, &store, std::slice::from_ref(&next));
    }
    // An attempt that was not answered may have been the one.
    let last = log.len() as u64 + 1;
    assert!(matches!(stored, Ok(()) | Err(StoreError::Behind { .. })), "{stored:?}");
    log.push(next);
    let there: Vec<StoredEvent> = read(&storage, &store);
    assert_eq!(there.len() as u64, last);
    assert!(there == log, "what was acknowledged is there");
}

/// A text that Postgres cannot make much shorter.
fn incompressible(length: usize) -> String {
    let mut state = 1_u64;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'a' + u8::try_from((state >> 33) % 26).unwrap())
    })
    .take(length)
    .collect()
}
