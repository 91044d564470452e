use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::sync::engine::retry::{BACKOFF_UNIT, FIRST_DELAY, MAX_DELAY};
use crate::sync::{MAX_BATCH_BYTES, MAX_EVENTS};

const NOW: Duration = Duration::from_secs(100);

fn client(upstream: u64, backend_id: Option<&str>) -> Engine {
    let head = SeqNum::new(upstream);
    let state = SyncState {
        pending: VecDeque::new(),
        upstream_head: head,
        confirmed_head: head,
        local_head: head,
    };
    Engine::new(state, backend_id.map(str::to_owned), OnBackendReset::default(), 7)
}

fn commit(engine: &mut Engine, client: &str, content: u64) {
    commit_args(engine, client, format!("{{\"n\":{content}}}"));
}

fn commit_args(engine: &mut Engine, client: &str, args: String) {
    let (seq, parent) = engine.state().local_head.next(false);
    let event = EncodedEvent {
        seq,
        parent,
        name: "v1.E".into(),
        args,
        client_id: client.into(),
        session_id: "s".into(),
        schema_hash: 0,
        sync_metadata: None,
        continues: false,
        command: None,
    };
    engine.commit(vec![event]);
}

fn upstream(seq: u64) -> SyncEvent {
    SyncEvent {
        seq,
        parent: seq - 1,
        name: "v1.E".into(),
        args: format!("{{\"other\":{seq}}}"),
        client_id: "other".into(),
        session_id: "s".into(),
        metadata: None,
    }
}

/// The effects of an input. A transition is written, and published.
fn handle(engine: &mut Engine, input: Input, now: Duration) -> Vec<Effect> {
    match engine.handle(input, now) {
        Step::Effects(effects) => effects,
        Step::Write(transition) => engine.publish(transition, now),
    }
}

fn receive(engine: &mut Engine, message: BackendMessage) -> Vec<Effect> {
    handle(engine, Input::Backend(message), NOW)
}

/// The transition that a message leads to. It is not published.
fn planned(engine: &mut Engine, message: BackendMessage) -> Transition {
    match engine.handle(Input::Backend(message), NOW) {
        Step::Write(transition) => transition,
        Step::Effects(effects) => panic!("no transition, but {effects:?}"),
    }
}

fn pulled(events: Vec<SyncEvent>, more: More) -> BackendMessage {
    BackendMessage::Pulled(Page { events, more, backend_id: "b".into() })
}

/// Connected, and at the backend's head.
fn live(upstream: u64) -> Engine {
    let mut engine = client(upstream, Some("b"));
    assert_eq!(handle(&mut engine, Input::Start, NOW), [Effect::Connect]);
    let cursor = Cursor { backend_id: "b".into(), head: upstream };
    assert_eq!(receive(&mut engine, BackendMessage::Connected), [Effect::Pull(Some(cursor))]);
    assert_eq!(receive(&mut engine, pulled(vec![], More::No)), []);
    assert_eq!(engine.network(), NetworkStatus::Online);
    engine
}

fn pushes(effects: &[Effect]) -> Vec<u64> {
    let of = |effect: &Effect| match effect {
        Effect::Push { events, .. } => events.iter().map(|event| event.seq).collect(),
        _ => Vec::new(),
    };
    effects.iter().flat_map(of).collect()
}

#[test]
fn nothing_is_pushed_before_all_is_pulled() {
    let mut engine = client(0, None);
    commit(&mut engine, "c", 1);
    handle(&mut engine, Input::Start, NOW);
    assert_eq!(receive(&mut engine, BackendMessage::Connected), [Effect::Pull(None)]);
    let first = pulled(vec![upstream(1), upstream(2)], More::Known(1));
    let transition = planned(&mut engine, first);
    assert!(transition.merge.rebase.is_some());
    assert_eq!(engine.publish(transition, NOW), []);
    let effects = receive(&mut engine, pulled(vec![upstream(3)], More::No));
    assert_eq!(pushes(&effects), [4]);
}

#[test]
fn one_push_is_under_way_and_the_pull_confirms_it() {
    let mut engine = live(0);
    for n in 0..150 {
        commit(&mut engine, "c", n);
    }
    assert_eq!(pushes(&handle(&mut engine, Input::Committed, NOW)).len(), MAX_EVENTS);
    assert!(engine.deadline() >= Some(NOW + RESPONSE_TIMEOUT));
    assert_eq!(handle(&mut engine, Input::Committed, NOW), []);
    let effects = receive(&mut engine, BackendMessage::Pushed);
    assert_eq!(pushes(&effects), (101..=150).collect::<Vec<_>>());
    assert_eq!(engine.state().pending.len(), 150);
    let own = |seq: u64| SyncEvent {
        args: format!("{{\"n\":{}}}", seq - 1),
        client_id: "c".into(),
        ..upstream(seq)
    };
    let transition = planned(&mut engine, pulled((1..=150).map(own).collect(), More::No));
    let merge = &transition.merge;
    assert_eq!((merge.confirmed.len(), merge.new.len()), (150, 0));
    assert_eq!(engine.publish(transition, NOW), []);
    // The answer comes after the broadcast: nothing is pushed twice.
    assert_eq!(receive(&mut engine, BackendMessage::Pushed), []);
    assert_eq!(engine.state().pending.len(), 0);
}

#[test]
fn a_rejected_push_waits_for_the_pull() {
    let mut engine = live(1);
    commit(&mut engine, "c", 1);
    assert_eq!(pushes(&handle(&mut engine, Input::Committed, NOW)), [2]);
    let ahead = SyncError::ServerAhead { head: 3, parent: 1 };
    assert_eq!(receive(&mut engine, BackendMessage::PushFailed(ahead)), []);
    assert_eq!(engine.deadline(), Some(NOW + RESPONSE_TIMEOUT));
    commit(&mut engine, "c", 2);
    assert_eq!(handle(&mut engine, Input::Committed, NOW), []);
    assert_eq!(pushes(&receive(&mut engine, pulled(vec![upstream(2)], More::No))), [0; 0]);
    assert_eq!(pushes(&receive(&mut engine, pulled(vec![upstream(3)], More::No))), [4, 5]);
}

/// Over HTTP nobody notices that a backend was put back to an old state in between.
#[test]
fn what_was_accepted_and_then_lost_is_pushed_again() {
    let mut engine = live(5);
    (1..=3).for_each(|n| commit(&mut engine, "c", n));
    assert_eq!(pushes(&handle(&mut engine, Input::Committed, NOW)), [6, 7, 8]);
    assert_eq!(receive(&mut engine, BackendMessage::Pushed), []);
    let others = pulled(vec![upstream(6), upstream(7)], More::No);
    assert_eq!(pushes(&receive(&mut engine, others)), [8, 9, 10]);
}

#[test]
fn an_answer_from_before_a_rebase_says_nothing_of_the_new_numbers() {
    let mut engine = live(5);
    (1..=3).for_each(|n| commit(&mut engine, "c", n));
    assert_eq!(pushes(&handle(&mut engine, Input::Committed, NOW)), [6, 7, 8]);
    assert_eq!(pushes(&receive(&mut engine, pulled(vec![upstream(6)], More::No))), [0; 0]);
    assert_eq!(pushes(&receive(&mut engine, BackendMessage::Pushed)), [7, 8, 9]);
}

#[test]
fn a_pull_may_take_as_long_as_its_pages_come() {
    let mut engine = client(0, Some("b"));
    handle(&mut engine, Input::Start, NOW);
    receive(&mut engine, BackendMessage::Connected);
    assert_eq!(engine.deadline(), Some(NOW + RESPONSE_TIMEOUT));
    let later = NOW + RESPONSE_TIMEOUT - Duration::from_secs(1);
    handle(&mut engine, Input::Backend(pulled(vec![upstream(1)], More::Unknown)), later);
    assert_eq!(engine.deadline(), Some(later + RESPONSE_TIMEOUT));
    assert_eq!(handle(&mut engine, Input::Tick, NOW + RESPONSE_TIMEOUT), []);
    assert_eq!(handle(&mut engine, Input::Tick, later + RESPONSE_TIMEOUT), [Effect::Disconnect]);
}

/// Clients that lost their backend at once must not come back at once.
#[test]
fn a_push_has_as_many_bytes_as_a_backend_takes() {
    let mut engine = live(0);
    let around =
        SyncEvent { args: String::new(), client_id: "c".into(), ..upstream(1) }.wire_size();
    // Two that just fit, one that is too large for any push, and one more.
    for bytes in [
        MAX_BATCH_BYTES / 2,
        MAX_BATCH_BYTES - MAX_BATCH_BYTES / 2,
        MAX_BATCH_BYTES + 1,
        around + 10,
    ] {
        let args = format!("\"{}\"", "x".repeat(bytes - around - 2));
        commit_args(&mut engine, "c", args);
    }
    assert_eq!(pushes(&handle(&mut engine, Input::Committed, NOW)), [1, 2]);
    assert_eq!(pushes(&receive(&mut engine, BackendMessage::Pushed)), [3]);
    assert_eq!(pushes(&receive(&mut engine, BackendMessage::Pushed)), [4]);
}

#[test]
fn what_is_known_may_be_told_again() {
    let mut engine = live(3);
    let known_and_new = pulled((2..=4).map(upstream).collect(), More::No);
    let transition = planned(&mut engine, known_and_new);
    let new = &transition.merge.new;
    assert_eq!(new.iter().map(|event| event.seq.global).collect::<Vec<_>>(), [4]);
}

#[test]
fn a_rejection_without_a_reason_is_tried_again() {
    let mut engine = live(1);
    commit(&mut engine, "c", 1);
    assert_eq!(pushes(&handle(&mut engine, Input::Committed, NOW)), [2]);
    let ahead = SyncError::ServerAhead { head: 1, parent: 1 };
    assert_eq!(pushes(&receive(&mut engine, BackendMessage::PushFailed(ahead))), [2]);
}

#[test]
fn what_cannot_be_written_has_not_happened() {
    let mut engine = client(0, None);
    commit(&mut engine, "c", 1);
    handle(&mut engine, Input::Start, NOW);
    receive(&mut engine, BackendMessage::Connected);
    let state = engine.state().clone();
    let transition = planned(&mut engine, pulled(vec![upstream(1)], More::No));
    assert!(transition.merge.rebase.is_some() && transition.backend_id.is_some());
    drop(transition);
    let reason = "the disk is full".to_owned();
    assert_eq!(engine.write_failed(reason.clone(), NOW), [Effect::Disconnect]);
    assert_eq!(engine.network(), NetworkStatus::Offline { reason });
    assert_eq!((&engine.backend_id, engine.state()), (&None, &state));
}

/// Pulls that end in the middle of a commit, and what is applied of them.
#[test]
fn half_a_commit_waits_for_the_rest() {
    let session = "static~V1StGXR8_Z5jdHi6B-myT";
    let event = |seq, continues| SyncEvent {
        session_id: format!("{session}{}", if continues { "+" } else { "" }).into(),
        ..upstream(seq)
    };
    let mut engine = client(0, Some("b"));
    handle(&mut engine, Input::Start, NOW);
    receive(&mut engine, BackendMessage::Connected);
    let first = pulled(vec![event(1, false), event(2, false), event(3, true)], More::Unknown);
    receive(&mut engine, first);
    assert_eq!(engine.state().upstream_head, SeqNum::new(1));
    // A page that comes in between is not taken for the rest.
    receive(&mut engine, pulled(vec![event(9, false)], More::Unknown));
    receive(&mut engine, pulled(vec![event(4, true), event(5, false)], More::Unknown));
    assert_eq!(engine.state().upstream_head, SeqNum::new(4));
    receive(&mut engine, pulled(vec![], More::No));
    assert_eq!(engine.state().upstream_head, SeqNum::new(5));
    assert_eq!(engine.network(), NetworkStatus::Online);
}

/// Commits with these synced (`s`) and client-only (`c`) events, at one go.
fn commit_kinds(engine: &mut Engine, kinds: &str) {
    let mut head = engine.state().local_head;
    let event = |(n, kind)| {
        let (seq, parent) = head.next(kind == 'c');
        head = seq;
        EncodedEvent {
            seq,
            parent,
            name: "v1.E".into(),
            args: "{}".into(),
            client_id: "c".into(),
            session_id: "s".into(),
            schema_hash: 0,
            sync_metadata: None,
            continues: n > 0,
            command: None,
        }
    };
    let events = kinds.chars().enumerate().map(event).collect();
    engine.commit(events);
}

/// Messages may come before the engine gets the command to pause.
#[test]
fn nothing_is_pushed_or_pulled_once_the_app_has_paused() {
    let mut engine = live(0);
    engine.pause();
    commit(&mut engine, "c", 1);
    assert_eq!(pushes(&handle(&mut engine, Input::Committed, NOW)), [0; 0]);
    assert_eq!(receive(&mut engine, pulled(vec![upstream(1)], More::No)), []);
    assert_eq!(engine.state().upstream_head, SeqNum::ROOT);
    assert_eq!(handle(&mut engine, Input::Pause, NOW), [Effect::Disconnect]);
    assert_eq!(handle(&mut engine, Input::Start, NOW), [Effect::Connect]);
    receive(&mut engine, BackendMessage::Connected);
    assert_eq!(pushes(&receive(&mut engine, pulled(vec![upstream(1)], More::No))), [2]);
}

#[test]
fn a_push_has_whole_commits() {
    let mut engine = live(0);
    for kinds in ["s".repeat(60), "s".repeat(40), "ss".into(), "s".repeat(99)] {
        commit_kinds(&mut engine, &kinds);
    }
    let sizes: Vec<_> = [Input::Committed]
        .into_iter()
        .chain((0..2).map(|_| Input::Backend(BackendMessage::Pushed)))
        .map(|input| pushes(&handle(&mut engine, input, NOW)).len())
        .collect();
    assert_eq!(sizes, [100, 2, 99]);
}

#[test]
fn a_commit_too_large_for_any_push_is_cut() {
    let mut engine = live(0);
    commit_kinds(&mut engine, &"s".repeat(150));
    assert_eq!(pushes(&handle(&mut engine, Input::Committed, NOW)).len(), 100);
    assert_eq!(pushes(&receive(&mut engine, BackendMessage::Pushed)).len(), 50);
}

#[test]
fn others_learn_which_synced_events_are_one_commit() {
    let mut engine = live(0);
    for kinds in ["s", "ccscs", "cs", "ss"] {
        commit_kinds(&mut engine, kinds);
    }
    let effects = handle(&mut engine, Input::Committed, NOW);
    let [Effect::Push { events, .. }] = &effects[..] else { panic!("{effects:?}") };
    let sessions: Vec<_> = events.iter().map(|event| &*event.session_id).collect();
    assert_eq!(sessions, ["s", "s", "s+", "s", "s", "s+"]);
}

#[test]
fn pushes_that_are_rejected_again_and_again_let_others_go_first() {
    let mut engine = live(1);
    commit(&mut engine, "c", 1);
    assert_eq!(pushes(&handle(&mut engine, Input::Committed, NOW)), [2]);
    let mut longest = Duration::ZERO;
    for head in 2..40 {
        let ahead = SyncError::ServerAhead { head, parent: head - 1 };
        assert_eq!(receive(&mut engine, BackendMessage::PushFailed(ahead)), []);
        let effects = receive(&mut engine, pulled(vec![upstream(head)], More::No));
        if head == 2 {
            assert_eq!(pushes(&effects), [3], "once is nothing");
            continue;
        }
        assert_eq!(pushes(&effects), [0; 0]);
        assert_eq!(engine.network(), NetworkStatus::Online);
        let until = engine.deadline().unwrap();
        assert_eq!(handle(&mut engine, Input::Committed, NOW), []);
        assert_eq!(pushes(&handle(&mut engine, Input::Tick, until)), [head + 1]);
        longest = longest.max(until - NOW);
    }
    assert!(longest > BACKOFF_UNIT * 8 && longest <= BACKOFF_UNIT * 32, "{longest:?}");
    // One that is taken ends it.
    assert_eq!(receive(&mut engine, BackendMessage::Pushed), []);
    commit(&mut engine, "c", 2);
    assert_eq!(pushes(&handle(&mut engine, Input::Committed, NOW)), [41]);
    let ahead = SyncError::ServerAhead { head: 40, parent: 39 };
    receive(&mut engine, BackendMessage::PushFailed(ahead));
    assert_eq!(pushes(&receive(&mut engine, pulled(vec![upstream(40)], More::No))), [41, 42]);
}

#[test]
fn the_broadcast_may_come_before_the_rejection() {
    let mut engine = live(1);
    commit(&mut engine, "c", 1);
    handle(&mut engine, Input::Committed, NOW);
    let effects = receive(&mut engine, pulled(vec![upstream(2)], More::No));
    assert_eq!(pushes(&effects), [0; 0]);
    let ahead = SyncError::ServerAhead { head: 2, parent: 1 };
    assert_eq!(pushes(&receive(&mut engine, BackendMessage::PushFailed(ahead))), [3]);
}

#[test]
fn a_rejection_may_be_older_than_what_is_pulled() {
    let mut engine = live(1);
    commit(&mut engine, "c", 1);
    handle(&mut engine, Input::Committed, NOW);
    receive(&mut engine, pulled(vec![upstream(2), upstream(3)], More::No));
    let ahead = SyncError::ServerAhead { head: 2, parent: 1 };
    assert_eq!(pushes(&receive(&mut engine, BackendMessage::PushFailed(ahead))), [4]);
    assert_eq!(engine.network(), NetworkStatus::Online);
}

#[test]
fn a_lost_connection_is_tried_again_later_and_later() {
    let mut engine = live(0);
    let mut waits = Vec::new();
    let mut now = NOW;
    for _ in 0..12 {
        let lost = BackendMessage::Disconnected { reason: "no route".into() };
        let effects = handle(&mut engine, Input::Backend(lost), now);
        assert_eq!(effects, [Effect::Disconnect]);
        let deadline = engine.deadline().unwrap();
        waits.push(deadline - now);
        assert_eq!(handle(&mut engine, Input::Tick, deadline - Duration::from_millis(1)), []);
        assert_eq!(handle(&mut engine, Input::Tick, deadline), [Effect::Connect]);
        now = deadline;
    }
    assert!(waits[0] <= FIRST_DELAY && waits[0] >= FIRST_DELAY / 2, "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= MAX_DELAY));
    assert!(waits[11] >= MAX_DELAY / 2);
}

#[test]
fn a_backend_that_does_not_answer_is_left() {
    let mut engine = live(0);
    commit(&mut engine, "c", 1);
    handle(&mut engine, Input::Committed, NOW);
    let deadline = engine.deadline().unwrap();
    assert_eq!(handle(&mut engine, Input::Tick, deadline), [Effect::Disconnect]);
    assert_eq!(receive(&mut engine, BackendMessage::Pushed), []);
}

#[test]
fn another_backend_stops_it_and_nothing_is_deleted() {
    let mut engine = live(5);
    commit(&mut engine, "c", 1);
    let other = Page { events: vec![], more: More::No, backend_id: "x".into() };
    assert_eq!(receive(&mut engine, BackendMessage::Pulled(other)), [Effect::Disconnect]);
    assert!(matches!(engine.network(), NetworkStatus::Stopped(StopReason::OtherBackend { .. })));
    assert_eq!(engine.state().pending.len(), 1);
    assert_eq!(handle(&mut engine, Input::Committed, NOW), []);

    let mut engine = live(5);
    engine.on_reset = OnBackendReset::Reset;
    commit(&mut engine, "c", 1);
    let other = Page { events: vec![], more: More::No, backend_id: "x".into() };
    let transition = planned(&mut engine, BackendMessage::Pulled(other));
    let from = transition.merge.rebase.as_ref().unwrap().from;
    assert_eq!(engine.publish(transition, NOW), [Effect::Disconnect, Effect::Connect]);
    let first = engine.state().pending[0].seq;
    assert_eq!((from.to_string(), first.to_string()), ("e0.1".into(), "e1r1".into()));
}

#[test]
fn a_backend_that_lost_events_stops_it() {
    let mut engine = live(5);
    commit(&mut engine, "c", 1);
    handle(&mut engine, Input::Committed, NOW);
    let behind = SyncError::ServerAhead { head: 3, parent: 5 };
    assert_eq!(receive(&mut engine, BackendMessage::PushFailed(behind)), [Effect::Disconnect]);
    let stopped = StopReason::BackendLostEvents { head: 3, known: 5 };
    assert_eq!(engine.network(), NetworkStatus::Stopped(stopped));
}

#[test]
fn a_gap_is_pulled_again() {
    let mut engine = live(1);
    assert_eq!(receive(&mut engine, pulled(vec![upstream(3)], More::No)), [Effect::Disconnect]);
    let mut engine = client(1, Some("b"));
    handle(&mut engine, Input::Start, NOW);
    receive(&mut engine, BackendMessage::Connected);
    assert_eq!(receive(&mut engine, pulled(vec![upstream(3)], More::No)), []);
    assert_eq!(engine.network(), NetworkStatus::Pulling);
}

#[test]
fn a_start_that_is_on_its_way_counts_as_connecting() {
    let mut engine = client(0, None);
    assert_eq!(engine.network(), NetworkStatus::Paused);
    engine.expect_start();
    assert_eq!((engine.network(), engine.deadline()), (NetworkStatus::Connecting, None));
    assert_eq!(handle(&mut engine, Input::Tick, NOW), []);
    assert_eq!(handle(&mut engine, Input::Start, NOW), [Effect::Connect]);
    engine.expect_start();
    assert_eq!(handle(&mut engine, Input::Start, NOW), [], "it is connecting already");
    engine.pause();
    assert_eq!(engine.network(), NetworkStatus::Paused);
    assert_eq!(handle(&mut engine, Input::Pause, NOW), [Effect::Disconnect]);
    engine.expect_start();
    assert_eq!(engine.network(), NetworkStatus::Connecting);
}

mod login;
mod pushes;
mod world;
