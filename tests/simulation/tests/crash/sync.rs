//! A client with a backend, which is not on the disk and loses nothing.

use livestore::Durability;
use livestore::simulation;
use livestore::sync::{
    BackendMessage, ConnectRequest, Cursor, MessageSender, OnBackendReset, SyncBackend, SyncEvent,
    SyncOptions,
};
use livestore_sync::InProcess;

use super::app::Notes;
use super::enumerate::{Scenario, run};
use super::ledger::Said;
use super::machine::{Machine, Notebook, run_jobs};

#[test]
fn a_client_with_a_backend_keeps_what_it_said() {
    run(&[
        scenario("pull", Durability::Written, act_pull),
        scenario("rebase, buffered", Durability::Buffered, act_rebase),
        scenario("rebase, written", Durability::Written, act_rebase),
        scenario("rebase, synced", Durability::Synced, act_rebase),
        scenario("backend reset, written", Durability::Written, act_reset),
        scenario("backend reset, synced", Durability::Synced, act_reset),
    ]);
}

fn scenario(name: &'static str, durability: Durability, act: fn(&mut Machine)) -> Scenario {
    Scenario { name, durability, claims: durability, prepare, act, check }
}

/// Two events are confirmed, and two are pending.
fn prepare(machine: &mut Machine) {
    let backend = machine.backend.clone();
    let store = open(machine).unwrap();
    commit(machine, &store, &["b1", "b7"]);
    settle(&store);
    backend.set_online(false);
    commit(machine, &store, &["p1", "p2"]);
    machine.close(store);
    machine.upstream = backend.events("notes");
    assert_eq!(machine.upstream.len(), 2);
}

/// The backend as it was left, with events of another client behind.
fn upstream(machine: &mut Machine) {
    let events = machine.upstream.clone();
    push(&machine.backend, events);
    push_others(&machine.backend, &["o1", "o2", "o3"]);
    for id in ["b1", "b7", "p1", "p2"] {
        machine.ledger.write(&[id.to_owned()], Said::Promised);
    }
}

fn act_pull(machine: &mut Machine) {
    upstream(machine);
    let Some(store) = open(machine) else { return };
    settle(&store);
    live_on(machine, store);
}

fn act_rebase(machine: &mut Machine) {
    upstream(machine);
    let Some(store) = open(machine) else { return };
    commit(machine, &store, &["a1"]);
    settle(&store);
    let backend = machine.backend.clone();
    push_others(&backend, &["o4", "o7"]);
    commit(machine, &store, &["a2", "a3"]);
    settle(&store);
    live_on(machine, store);
}

/// The backend has lost its events, and has another id. What was confirmed is gone with it.
fn act_reset(machine: &mut Machine) {
    machine.backend.reset();
    push_others(&machine.backend, &["o1", "o2", "o3"]);
    for (id, said) in
        [("b1", Said::Gone), ("b7", Said::Gone), ("p1", Said::Promised), ("p2", Said::Promised)]
    {
        machine.ledger.write(&[id.to_owned()], said);
    }
    let Some(store) = open(machine) else { return };
    settle(&store);
    commit(machine, &store, &["a1"]);
    settle(&store);
    live_on(machine, store);
}

fn live_on(machine: &mut Machine, store: Notebook) {
    machine.live_on(&store);
    settle(&store);
    if let Ok(status) = store.sync_status()
        && !machine.is_down()
        && !machine.faulty
    {
        assert!(status.is_synced(), "it does not come to rest: {status:?}");
    }
    machine.close(store);
}

/// The backend's order has all that was said, and the client's log is that order.
fn check(machine: &mut Machine) {
    machine.revive();
    let store = open(machine).unwrap();
    settle(&store);
    let status = store.sync_status().unwrap();
    assert!(status.is_synced(), "it does not come to rest: {status:?}");
    machine.compare_with_backend(&store);
    store.close().unwrap();
    let store = open(machine).unwrap();
    machine.compare_with_backend(&store);
    store.close().unwrap();
}

fn open(machine: &mut Machine) -> Option<Notebook> {
    let options = SyncOptions::new(machine.backend.clone()).on_backend_reset(OnBackendReset::Reset);
    machine.opened(machine.builder::<Notes>().sync(options).open())
}

fn commit(machine: &mut Machine, store: &Notebook, ids: &[&str]) {
    machine.commit::<Notes>(store, ids);
}

/// Lets time pass until all is quiet.
fn settle(store: &Notebook) {
    for _ in 0..30 {
        run_jobs();
        let synced = store.sync_status().is_ok_and(|status| status.is_synced());
        let Some(deadline) = simulation::next_deadline().filter(|_| !synced) else { return };
        simulation::pass(deadline.saturating_sub(simulation::elapsed()));
    }
}

/// Pushes as another client.
fn push_others(backend: &InProcess, ids: &[&str]) {
    let head = backend.events("notes").len() as u64;
    let event = |(seq, id): (u64, &&str)| SyncEvent {
        seq,
        parent: seq - 1,
        name: "v1.NoteAdded".to_owned(),
        args: format!(r#"{{"id":"{id}","text":"of another"}}"#),
        client_id: "another".into(),
        session_id: "session".into(),
        metadata: None,
    };
    push(backend, (head + 1..).zip(ids).map(event).collect());
}

fn push(backend: &InProcess, events: Vec<SyncEvent>) {
    let before = backend.events("notes").len();
    let count = events.len();
    let messages = MessageSender::new(|_: BackendMessage| ());
    let mut link = backend.connect(ConnectRequest::new("notes", None), messages);
    link.pull(None::<Cursor>);
    link.push(events, None);
    assert_eq!(backend.events("notes").len(), before + count, "the backend has not taken them");
}
