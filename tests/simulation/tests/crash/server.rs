//! The server's storage.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use livestore::sync::SyncEvent;
use livestore::{Durability, Timestamp};
use livestore_server::cli::{Imported, import_into, write_line};
use livestore_server::store::{
    self, EventStore, Reply, SqliteStore, StoreError, StoreId, StoreInfo, StoreLimits, StoredEvent,
};

use super::enumerate::{Scenario, run};
use super::ledger::Said;
use super::machine::{Machine, id_of, run_jobs};

#[test]
fn a_server_keeps_what_it_answered() {
    run(&[
        scenario("server: open", Durability::Synced, |_| (), act_open),
        scenario("server: append, written", Durability::Written, prepare, act_append),
        scenario("server: append, synced", Durability::Synced, prepare, act_append),
        Scenario {
            check: check_backup,
            ..scenario("server: backup", Durability::Synced, prepare, act_backup)
        },
        Scenario {
            check: check_import,
            ..scenario("server: import", Durability::Synced, |_| (), act_import)
        },
    ]);
}

fn scenario(
    name: &'static str,
    durability: Durability,
    prepare: fn(&mut Machine),
    act: fn(&mut Machine),
) -> Scenario {
    Scenario { name, durability, claims: durability, prepare, act, check }
}

const STORES: [&str; 2] = ["s1", "s2"];

/// Each store has two events.
fn prepare(machine: &mut Machine) {
    let server = open(machine).unwrap();
    act_on(machine, &server, 0);
}

fn know_before(machine: &mut Machine) {
    for store in STORES {
        let ids: Vec<String> = (1..=2).map(|seq| format!("{store}/{seq}")).collect();
        machine.ledger.write(&ids, Said::Promised);
    }
}

fn act_open(machine: &mut Machine) {
    let Some(server) = open(machine) else { return };
    act_on(machine, &server, 0);
}

/// A group of pushes, and another one.
fn act_append(machine: &mut Machine) {
    know_before(machine);
    let Some(server) = open(machine) else { return };
    act_on(machine, &server, 2);
    act_on(machine, &server, 4);
}

fn act_backup(machine: &mut Machine) {
    know_before(machine);
    let reader = match SqliteStore::reader(&data(machine)) {
        Ok(reader) => reader,
        Err(error) => return assert!(machine.faulty, "{error}"),
    };
    machine.is_done = match reader.backup(&copy(machine)) {
        Ok(()) => true,
        Err(error) => {
            assert!(machine.faulty, "{error}");
            false
        }
    };
}

/// More than two of the batches that an import stores in one piece.
const IMPORTED: u64 = 250;

fn act_import(machine: &mut Machine) {
    let Some(server) = open(machine) else { return };
    machine.is_done = match import(&server) {
        Ok(imported) => imported.new as u64 == IMPORTED,
        Err(error) => {
            assert!(machine.faulty, "{error}");
            false
        }
    };
}

fn import(server: &SqliteStore) -> Result<Imported, String> {
    let mut export = Vec::new();
    for seq in 1..=IMPORTED {
        write_line(&mut export, &event("s1", seq, "")).unwrap();
    }
    let imported = import_into(server, &id("s1"), Path::new("export.jsonl"), &*export);
    imported.map_err(|failure| failure.to_string())
}

/// Appends two events to each store, as one group; then reads what there is.
fn act_on(machine: &mut Machine, server: &SqliteStore, head: u64) {
    let opened = STORES.map(|store| ask(|reply| server.open(&id(store), reply)));
    run_jobs();
    if opened.iter().any(|opened| !matches!(heard(opened), Some(Ok(_)))) {
        return assert!(machine.faulty);
    }
    let long = "text".repeat(700);
    let batch = |store: &str| [head + 1, head + 2].map(|seq| event(store, seq, &long)).to_vec();
    let answers =
        STORES.map(|store| ask(|reply| server.append(&id(store), batch(store).into(), reply)));
    run_jobs();
    for (store, answer) in STORES.iter().zip(answers) {
        let said = match heard(&answer) {
            Some(Ok(())) if machine.is_promised() => Said::Promised,
            Some(Ok(())) => Said::Done,
            Some(Err(StoreError::DiskFull | StoreError::Behind { .. })) => Said::Failed,
            // The writer stops there: a client that is not told asks again what is there.
            Some(Err(_)) | None => Said::Nothing,
        };
        assert!(machine.faulty || matches!(said, Said::Promised | Said::Done), "{said:?}");
        let ids: Vec<String> = [head + 1, head + 2].map(|seq| format!("{store}/{seq}")).to_vec();
        machine.ledger.write(&ids, said);
        // A reader sees nothing that was not answered.
        if let Ok(seen) = log(server, store)
            && !machine.is_down()
        {
            machine.ledger.of(store).check(&seen).unwrap();
        }
    }
}

fn check(machine: &mut Machine) {
    machine.revive();
    if machine.lied {
        return check_lied(machine);
    }
    check_at(machine, &data(machine));
}

/// What a lying disk has left is events, or an error that says so.
fn check_lied(machine: &Machine) {
    let reader = SqliteStore::open(&data(machine), store::Durability::Synced, StoreLimits::NONE);
    for store in STORES {
        if let Ok(server) = &reader
            && let Ok(seen) = log(server, store)
        {
            machine.ledger.of(store).check(&seen).unwrap();
        }
    }
}

/// A copy is whole, or it is not there; the original is as it was.
fn check_backup(machine: &mut Machine) {
    check(machine);
    if machine.lied {
        return;
    }
    let target = copy(machine);
    if machine.is_done || livestore::simulation::fs::exists(target.join("events.db")).unwrap() {
        check_at(machine, &target);
    }
    if !machine.is_done && !livestore::simulation::fs::exists(target.join("events.db")).unwrap() {
        SqliteStore::reader(&data(machine)).unwrap().backup(&target).unwrap();
        check_at(machine, &target);
    }
}

/// What is there is a beginning, and importing it again makes it whole.
fn check_import(machine: &mut Machine) {
    machine.revive();
    let all: Vec<String> = (1..=IMPORTED).map(|seq| format!("s1/{seq}")).collect();
    let opened = SqliteStore::open(&data(machine), store::Durability::Synced, StoreLimits::NONE);
    if machine.lied {
        let seen = opened.ok().and_then(|server| log(&server, "s1").ok()).unwrap_or_default();
        return assert!(all.starts_with(&seen), "{seen:?}");
    }
    let server = opened.unwrap();
    let seen = match log(&server, "s1") {
        Err(StoreError::Unknown) => Vec::new(),
        seen => seen.unwrap(),
    };
    assert!(all.starts_with(&seen) && seen.len() % 50 == 0, "{seen:?}");
    assert!(!machine.is_done || seen == all, "{seen:?}");
    let again = import(&server).unwrap();
    assert_eq!((again.known, again.new), (seen.len(), all.len() - seen.len()));
    assert_eq!(log(&server, "s1").unwrap(), all);
}

fn check_at(machine: &Machine, directory: &Path) {
    let server = open_at(machine, directory).unwrap();
    for store in STORES {
        let opened = ask(|reply| server.open(&id(store), reply));
        run_jobs();
        let opened: StoreInfo = heard(&opened).unwrap().unwrap();
        let seen = log(&server, store).unwrap();
        machine.ledger.of(store).check(&seen).unwrap();
        assert_eq!(opened.head, seen.len() as u64, "{store}");
    }
    let listed = server.list().unwrap();
    assert_eq!(listed.len(), STORES.len());
}

fn open(machine: &Machine) -> Option<SqliteStore> {
    open_at(machine, &data(machine))
}

fn open_at(machine: &Machine, directory: &Path) -> Option<SqliteStore> {
    let durability = match machine.durability {
        Durability::Synced => store::Durability::Synced,
        _ => store::Durability::Written,
    };
    let opened = SqliteStore::open(directory, durability, StoreLimits::NONE);
    assert!(machine.faulty || opened.is_ok(), "{opened:?}");
    opened.ok()
}

fn data(machine: &Machine) -> PathBuf {
    machine.home().join("data")
}

fn copy(machine: &Machine) -> PathBuf {
    machine.home().join("copy")
}

fn log(server: &SqliteStore, store: &str) -> Result<Vec<String>, StoreError> {
    let mut ids = Vec::new();
    server.read(&id(store), 0, &mut |stored| {
        ids.push(id_of(&stored.event().args));
        ControlFlow::Continue(())
    })?;
    Ok(ids)
}

fn event(store: &str, seq: u64, text: &str) -> StoredEvent {
    let event = SyncEvent {
        seq,
        parent: seq - 1,
        name: "v1.NoteAdded".to_owned(),
        args: format!(r#"{{"id":"{store}/{seq}","text":"{text}"}}"#),
        client_id: "client".into(),
        session_id: "session".into(),
        metadata: None,
    };
    StoredEvent::new(event, Timestamp::from_millis(0))
}

fn id(store: &str) -> StoreId {
    StoreId::new(store).unwrap()
}

type Answer<T> = Arc<Mutex<Option<Result<T, StoreError>>>>;

fn ask<T: Send + 'static>(question: impl FnOnce(Reply<T>)) -> Answer<T> {
    let answer = Answer::default();
    let theirs = Arc::clone(&answer);
    question(Box::new(move |result| *theirs.lock().unwrap() = Some(result)));
    answer
}

fn heard<T: Clone>(answer: &Answer<T>) -> Option<Result<T, StoreError>> {
    answer.lock().unwrap().clone()
}
