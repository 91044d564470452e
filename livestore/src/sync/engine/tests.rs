use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::sync::merge::Advance;

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
    };
    assert!(matches!(engine.committed(vec![event]), Outcome::Advance(_)));
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

fn hear(engine: &mut Engine, message: BackendMessage) -> Vec<Effect> {
    engine.handle(Input::Backend(message), NOW)
}

fn pulled(events: Vec<SyncEvent>, more: More) -> BackendMessage {
    BackendMessage::Pulled(Page { events, more, backend_id: "b".into() })
}

/// Connected, and at the backend's head.
fn live(upstream: u64) -> Engine {
    let mut engine = client(upstream, Some("b"));
    assert_eq!(engine.handle(Input::Start, NOW), [Effect::Connect]);
    let cursor = Cursor { backend_id: "b".into(), head: upstream };
    assert_eq!(hear(&mut engine, BackendMessage::Connected), [Effect::Pull(Some(cursor))]);
    assert_eq!(hear(&mut engine, pulled(vec![], More::No)), []);
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
    engine.handle(Input::Start, NOW);
    assert_eq!(hear(&mut engine, BackendMessage::Connected), [Effect::Pull(None)]);
    let effects = hear(&mut engine, pulled(vec![upstream(1)], More::Known(1)));
    assert!(matches!(&effects[..], [Effect::Settle(Outcome::Rebase(_))]), "{effects:?}");
    let effects = hear(&mut engine, pulled(vec![upstream(2)], More::No));
    assert_eq!(pushes(&effects), [3]);
}

#[test]
fn one_push_is_under_way_and_the_pull_confirms_it() {
    let mut engine = live(0);
    for n in 0..150 {
        commit(&mut engine, "c", n);
    }
    assert_eq!(pushes(&engine.handle(Input::Committed, NOW)).len(), MAX_EVENTS);
    assert_eq!(engine.deadline(), Some(NOW + PATIENCE));
    assert_eq!(engine.handle(Input::Committed, NOW), []);
    let effects = hear(&mut engine, BackendMessage::Pushed);
    assert_eq!(pushes(&effects), (101..=150).collect::<Vec<_>>());
    assert_eq!(engine.state().pending.len(), 150);
    let own = |seq: u64| SyncEvent {
        args: format!("{{\"n\":{}}}", seq - 1),
        client_id: "c".into(),
        ..upstream(seq)
    };
    let effects = hear(&mut engine, pulled((1..=150).map(own).collect(), More::No));
    let [Effect::Settle(Outcome::Advance(Advance { confirmed, new }))] = &effects[..] else {
        panic!("{effects:?}");
    };
    assert_eq!((confirmed.len(), new.len()), (150, 0));
    // The answer comes after the broadcast: nothing is pushed twice.
    assert_eq!(hear(&mut engine, BackendMessage::Pushed), []);
    assert_eq!(engine.state().pending.len(), 0);
}

#[test]
fn a_rejected_push_waits_for_the_pull() {
    let mut engine = live(1);
    commit(&mut engine, "c", 1);
    assert_eq!(pushes(&engine.handle(Input::Committed, NOW)), [2]);
    let ahead = SyncError::ServerAhead { head: 3, parent: 1 };
    assert_eq!(hear(&mut engine, BackendMessage::PushFailed(ahead)), []);
    assert_eq!(engine.deadline(), Some(NOW + PATIENCE));
    commit(&mut engine, "c", 2);
    assert_eq!(engine.handle(Input::Committed, NOW), []);
    assert_eq!(pushes(&hear(&mut engine, pulled(vec![upstream(2)], More::No))), [0; 0]);
    assert_eq!(pushes(&hear(&mut engine, pulled(vec![upstream(3)], More::No))), [4, 5]);
}

/// Over HTTP nobody notices that a backend was put back to an old state in between.
#[test]
fn what_was_accepted_and_then_lost_is_pushed_again() {
    let mut engine = live(5);
    (1..=3).for_each(|n| commit(&mut engine, "c", n));
    assert_eq!(pushes(&engine.handle(Input::Committed, NOW)), [6, 7, 8]);
    assert_eq!(hear(&mut engine, BackendMessage::Pushed), []);
    let others = pulled(vec![upstream(6), upstream(7)], More::No);
    assert_eq!(pushes(&hear(&mut engine, others)), [8, 9, 10]);
}

#[test]
fn an_answer_from_before_a_rebase_says_nothing_of_the_new_numbers() {
    let mut engine = live(5);
    (1..=3).for_each(|n| commit(&mut engine, "c", n));
    assert_eq!(pushes(&engine.handle(Input::Committed, NOW)), [6, 7, 8]);
    assert_eq!(pushes(&hear(&mut engine, pulled(vec![upstream(6)], More::No))), [0; 0]);
    assert_eq!(pushes(&hear(&mut engine, BackendMessage::Pushed)), [7, 8, 9]);
}

#[test]
fn a_pull_may_take_as_long_as_its_pages_come() {
    let mut engine = client(0, Some("b"));
    engine.handle(Input::Start, NOW);
    hear(&mut engine, BackendMessage::Connected);
    assert_eq!(engine.deadline(), Some(NOW + PATIENCE));
    let later = NOW + PATIENCE - Duration::from_secs(1);
    engine.handle(Input::Backend(pulled(vec![upstream(1)], More::Unknown)), later);
    assert_eq!(engine.deadline(), Some(later + PATIENCE));
    assert_eq!(engine.handle(Input::Tick, NOW + PATIENCE), []);
    assert_eq!(engine.handle(Input::Tick, later + PATIENCE), [Effect::Disconnect]);
}

/// Clients that lost their backend at once must not come back at once.
#[test]
fn pauses_are_spread() {
    let mut engine = live(1);
    let drawn: Vec<f64> = (0..1_000).map(|_| engine.jitter()).collect();
    assert!(drawn.iter().all(|part| (0.0..=1.0).contains(part)));
    for tenth in 0..10 {
        let (from, to) = (f64::from(tenth) / 10.0, f64::from(tenth + 1) / 10.0);
        let there = drawn.iter().filter(|part| (from..to).contains(*part)).count();
        assert!((50..200).contains(&there), "{there} of 1,000 from {from} to {to}");
    }
}

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
    assert_eq!(pushes(&engine.handle(Input::Committed, NOW)), [1, 2]);
    assert_eq!(pushes(&hear(&mut engine, BackendMessage::Pushed)), [3]);
    assert_eq!(pushes(&hear(&mut engine, BackendMessage::Pushed)), [4]);
}

#[test]
fn what_is_known_may_be_told_again() {
    let mut engine = live(3);
    let known_and_new = pulled((2..=4).map(upstream).collect(), More::No);
    let effects = hear(&mut engine, known_and_new);
    let [Effect::Settle(Outcome::Advance(Advance { new, .. }))] = &effects[..] else {
        panic!("{effects:?}");
    };
    assert_eq!(new.iter().map(|event| event.seq.global).collect::<Vec<_>>(), [4]);
}

#[test]
fn a_rejection_without_a_reason_is_tried_again() {
    let mut engine = live(1);
    commit(&mut engine, "c", 1);
    assert_eq!(pushes(&engine.handle(Input::Committed, NOW)), [2]);
    let ahead = SyncError::ServerAhead { head: 1, parent: 1 };
    assert_eq!(pushes(&hear(&mut engine, BackendMessage::PushFailed(ahead))), [2]);
}

#[test]
fn what_cannot_be_written_has_not_happened() {
    let mut engine = client(0, None);
    commit(&mut engine, "c", 1);
    let pending = engine.pending().to_vec();
    assert_eq!((pending.len(), engine.backend_id()), (1, None));
    engine.handle(Input::Start, NOW);
    hear(&mut engine, BackendMessage::Connected);
    let (before, state) = (engine.mark(), engine.state().clone());
    let effects = hear(&mut engine, pulled(vec![upstream(1)], More::Unknown));
    let [Effect::Settle(outcome)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(engine.backend_id(), Some("b"));
    assert_ne!(engine.pending(), pending, "it was rebased");
    let reason = "the disk is full".to_owned();
    let effects = engine.unsettled(outcome.clone(), before, reason.clone(), NOW);
    assert_eq!(effects, [Effect::Disconnect]);
    assert_eq!(engine.network(), NetworkStatus::Offline { reason });
    assert_eq!((engine.backend_id(), engine.state()), (None, &state));
}

#[test]
fn pushes_that_are_rejected_again_and_again_let_others_go_first() {
    let mut engine = live(1);
    commit(&mut engine, "c", 1);
    assert_eq!(pushes(&engine.handle(Input::Committed, NOW)), [2]);
    let mut longest = Duration::ZERO;
    for head in 2..40 {
        let ahead = SyncError::ServerAhead { head, parent: head - 1 };
        assert_eq!(hear(&mut engine, BackendMessage::PushFailed(ahead)), []);
        let effects = hear(&mut engine, pulled(vec![upstream(head)], More::No));
        if head == 2 {
            assert_eq!(pushes(&effects), [3], "once is nothing");
            continue;
        }
        assert_eq!(pushes(&effects), [0; 0]);
        assert_eq!(engine.network(), NetworkStatus::Online);
        let until = engine.deadline().unwrap();
        assert_eq!(engine.handle(Input::Committed, NOW), []);
        assert_eq!(pushes(&engine.handle(Input::Tick, until)), [head + 1]);
        longest = longest.max(until - NOW);
    }
    assert!(longest > FIRST_BACKOFF * 8 && longest <= FIRST_BACKOFF * 32, "{longest:?}");
    // One that is taken ends it.
    assert_eq!(hear(&mut engine, BackendMessage::Pushed), []);
    commit(&mut engine, "c", 2);
    assert_eq!(pushes(&engine.handle(Input::Committed, NOW)), [41]);
    let ahead = SyncError::ServerAhead { head: 40, parent: 39 };
    hear(&mut engine, BackendMessage::PushFailed(ahead));
    assert_eq!(pushes(&hear(&mut engine, pulled(vec![upstream(40)], More::No))), [41, 42]);
}

#[test]
fn the_broadcast_may_come_before_the_rejection() {
    let mut engine = live(1);
    commit(&mut engine, "c", 1);
    engine.handle(Input::Committed, NOW);
    let effects = hear(&mut engine, pulled(vec![upstream(2)], More::No));
    assert_eq!(pushes(&effects), [0; 0]);
    let ahead = SyncError::ServerAhead { head: 2, parent: 1 };
    assert_eq!(pushes(&hear(&mut engine, BackendMessage::PushFailed(ahead))), [3]);
}

#[test]
fn a_rejection_may_be_older_than_what_is_pulled() {
    let mut engine = live(1);
    commit(&mut engine, "c", 1);
    engine.handle(Input::Committed, NOW);
    hear(&mut engine, pulled(vec![upstream(2), upstream(3)], More::No));
    let ahead = SyncError::ServerAhead { head: 2, parent: 1 };
    assert_eq!(pushes(&hear(&mut engine, BackendMessage::PushFailed(ahead))), [4]);
    assert_eq!(engine.network(), NetworkStatus::Online);
}

#[test]
fn a_lost_connection_is_tried_again_later_and_later() {
    let mut engine = live(0);
    let mut waits = Vec::new();
    let mut now = NOW;
    for _ in 0..12 {
        let lost = BackendMessage::Disconnected { reason: "no route".into() };
        let effects = engine.handle(Input::Backend(lost), now);
        assert_eq!(effects, [Effect::Disconnect]);
        let deadline = engine.deadline().unwrap();
        waits.push(deadline - now);
        assert_eq!(engine.handle(Input::Tick, deadline - Duration::from_millis(1)), []);
        assert_eq!(engine.handle(Input::Tick, deadline), [Effect::Connect]);
        now = deadline;
    }
    assert!(waits[0] <= FIRST_WAIT && waits[0] >= FIRST_WAIT / 2, "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= LONGEST_WAIT));
    assert!(waits[11] >= LONGEST_WAIT / 2);
}

#[test]
fn a_backend_that_does_not_answer_is_left() {
    let mut engine = live(0);
    commit(&mut engine, "c", 1);
    engine.handle(Input::Committed, NOW);
    let deadline = engine.deadline().unwrap();
    assert_eq!(engine.handle(Input::Tick, deadline), [Effect::Disconnect]);
    assert_eq!(hear(&mut engine, BackendMessage::Pushed), []);
}

#[test]
fn another_backend_stops_it_and_nothing_is_deleted() {
    let mut engine = live(5);
    commit(&mut engine, "c", 1);
    let other = Page { events: vec![], more: More::No, backend_id: "x".into() };
    assert_eq!(hear(&mut engine, BackendMessage::Pulled(other)), [Effect::Disconnect]);
    assert!(matches!(engine.network(), NetworkStatus::Stopped(StopReason::OtherBackend { .. })));
    assert_eq!(engine.state().pending.len(), 1);
    assert_eq!(engine.handle(Input::Committed, NOW), []);

    let mut engine = live(5);
    engine.on_reset = OnBackendReset::Reset;
    commit(&mut engine, "c", 1);
    let other = Page { events: vec![], more: More::No, backend_id: "x".into() };
    let effects = hear(&mut engine, BackendMessage::Pulled(other));
    let [Effect::Disconnect, Effect::Settle(Outcome::Rebase(rebase)), Effect::Connect] =
        &effects[..]
    else {
        panic!("{effects:?}");
    };
    let first = engine.state().pending[0].seq;
    assert_eq!((rebase.from.to_string(), first.to_string()), ("e0.1".into(), "e1r1".into()));
}

#[test]
fn a_backend_that_lost_events_stops_it() {
    let mut engine = live(5);
    commit(&mut engine, "c", 1);
    engine.handle(Input::Committed, NOW);
    let behind = SyncError::ServerAhead { head: 3, parent: 5 };
    assert_eq!(hear(&mut engine, BackendMessage::PushFailed(behind)), [Effect::Disconnect]);
    let stopped = StopReason::BackendLostEvents { head: 3, known: 5 };
    assert_eq!(engine.network(), NetworkStatus::Stopped(stopped));
}

#[test]
fn who_may_not_push_still_pulls() {
    let mut engine = live(0);
    commit(&mut engine, "c", 1);
    engine.handle(Input::Committed, NOW);
    assert_eq!(hear(&mut engine, BackendMessage::PushFailed(SyncError::Refused("no".into()))), []);
    assert!(matches!(engine.network(), NetworkStatus::ReadOnly { .. }));
    let effects = hear(&mut engine, pulled(vec![upstream(1)], More::No));
    assert!(matches!(&effects[..], [Effect::Settle(Outcome::Rebase(_))]));
    assert_eq!(engine.handle(Input::Start, NOW), [Effect::Disconnect, Effect::Connect]);
}

#[test]
fn a_gap_is_pulled_again() {
    let mut engine = live(1);
    assert_eq!(hear(&mut engine, pulled(vec![upstream(3)], More::No)), [Effect::Disconnect]);
    let mut engine = client(1, Some("b"));
    engine.handle(Input::Start, NOW);
    hear(&mut engine, BackendMessage::Connected);
    assert_eq!(hear(&mut engine, pulled(vec![upstream(3)], More::No)), []);
    assert_eq!(engine.network(), NetworkStatus::Pulling);
}

/// Clients, a backend, and a network that loses what it likes.
struct World {
    backend: Vec<SyncEvent>,
    clients: Vec<Client>,
    now: Duration,
}

struct Client {
    name: String,
    engine: Engine,
    /// What would be in the file.
    log: Vec<EncodedEvent>,
    /// On its way to the client.
    inbox: VecDeque<BackendMessage>,
    connected: bool,
    committed: u64,
}

impl World {
    fn new(clients: usize) -> Self {
        let new = |n: usize| Client {
            name: format!("c{n}"),
            engine: client(0, None),
            log: Vec::new(),
            inbox: VecDeque::new(),
            connected: false,
            committed: 0,
        };
        Self { backend: Vec::new(), clients: (0..clients).map(new).collect(), now: NOW }
    }

    fn commit(&mut self, at: usize) {
        let client = &mut self.clients[at];
        client.committed += 1;
        commit(&mut client.engine, &client.name, client.committed);
        client.log.push(client.engine.state().pending.back().unwrap().clone());
        self.input(at, Input::Committed);
    }

    fn input(&mut self, at: usize, input: Input) {
        let effects = self.clients[at].engine.handle(input, self.now);
        for effect in effects {
            self.carry_out(at, effect);
        }
    }

    fn carry_out(&mut self, at: usize, effect: Effect) {
        let page = |events: &[SyncEvent], more| pulled(events.to_vec(), more);
        let client = &mut self.clients[at];
        match effect {
            Effect::Connect => {
                client.connected = true;
                client.inbox.push_back(BackendMessage::Connected);
            }
            Effect::Disconnect => {
                client.connected = false;
                client.inbox.clear();
            }
            Effect::Pull(cursor) => {
                let head = cursor.map_or(0, |cursor| cursor.head) as usize;
                let all: Vec<_> = self.backend[head..].chunks(3).collect();
                for (n, events) in all.iter().enumerate() {
                    let more = if n + 1 == all.len() { More::No } else { More::Unknown };
                    client.inbox.push_back(page(events, more));
                }
                if all.is_empty() {
                    client.inbox.push_back(page(&[], More::No));
                }
            }
            Effect::Push { events, .. } => {
                let (head, parent) = (self.backend.len() as u64, events[0].parent);
                if parent != head {
                    let ahead = SyncError::ServerAhead { head, parent };
                    return client.inbox.push_back(BackendMessage::PushFailed(ahead));
                }
                client.inbox.push_back(BackendMessage::Pushed);
                for client in self.clients.iter_mut().filter(|client| client.connected) {
                    client.inbox.push_back(page(&events, More::No));
                }
                self.backend.extend(events);
            }
            Effect::Settle(outcome) => client.settle(outcome),
        }
    }

    /// Everything that is on its way arrives.
    fn quiesce(&mut self) {
        for _ in 0..10_000 {
            self.now += Duration::from_secs(1);
            let mut idle = true;
            for at in 0..self.clients.len() {
                self.input(at, Input::Start);
                self.input(at, Input::Tick);
                while let Some(message) = self.clients[at].inbox.pop_front() {
                    idle = false;
                    self.input(at, Input::Backend(message));
                }
            }
            if idle && self.clients.iter().all(|client| client.engine.state().pending.is_empty()) {
                return;
            }
        }
        panic!("nothing comes to an end");
    }
}

impl Client {
    fn settle(&mut self, outcome: Outcome) {
        let (advance, from) = match outcome {
            Outcome::Advance(advance) => (advance, None),
            Outcome::Rebase(rebase) => (rebase.advance, Some(rebase.from)),
            Outcome::Reject { .. } => panic!("an effect"),
        };
        if let Some(from) = from {
            self.log.retain(|event| event.seq < from);
        }
        self.log.extend(advance.new);
        if from.is_some() {
            self.log.extend(self.engine.state().pending.iter().cloned());
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Commit(usize),
    Deliver(usize),
    /// Something on the way is lost, and the connection with it.
    Cut(usize),
    Hold(usize),
    Start(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let client = 0..3usize;
    prop_oneof![
        4 => client.clone().prop_map(Step::Commit),
        8 => client.clone().prop_map(Step::Deliver),
        1 => client.clone().prop_map(Step::Cut),
        1 => client.clone().prop_map(Step::Hold),
        2 => client.prop_map(Step::Start),
        1 => (0..60u64).prop_map(Step::Wait),
    ]
}

proptest! {
    #[test]
    fn nothing_is_lost_or_doubled(steps in prop::collection::vec(step(), 1..150)) {
        let mut world = World::new(3);
        for step in steps {
            match step {
                Step::Commit(at) => world.commit(at),
                Step::Deliver(at) => {
                    if let Some(message) = world.clients[at].inbox.pop_front() {
                        world.input(at, Input::Backend(message));
                    }
                }
                Step::Cut(at) => {
                    world.clients[at].inbox.clear();
                    world.clients[at].connected = false;
                    world.input(at, Input::Backend(BackendMessage::Disconnected { reason: "cut".into() }));
                }
                Step::Hold(at) => world.input(at, Input::Hold),
                Step::Start(at) => world.input(at, Input::Start),
                Step::Wait(seconds) => {
                    world.now += Duration::from_secs(seconds);
                    (0..3).for_each(|at| world.input(at, Input::Tick));
                }
            }
        }
        world.quiesce();
        let committed: u64 = world.clients.iter().map(|client| client.committed).sum();
        prop_assert_eq!(world.backend.len() as u64, committed);
        for client in &world.clients {
            let log: Vec<SyncEvent> = client.log.iter().map(SyncEvent::from).collect();
            prop_assert_eq!(&log, &world.backend);
            let own = world.backend.iter().filter(|event| *event.client_id == *client.name);
            let expected = (1..=client.committed).map(|n| format!("{{\"n\":{n}}}"));
            prop_assert!(own.map(|event| event.args.clone()).eq(expected), "in its order");
        }
    }
}
