//! Any merges in any order, against lists: after each, the state is what the lists say.
//!
//! The reference has no heads and no numbers. An event's number is its place, found by counting.

use proptest::prelude::*;
use proptest::sample::select;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use super::*;

/// What somebody with pen and paper writes down.
#[derive(Debug, Clone, Default)]
struct Lists {
    confirmed: Vec<Entry>,
    pending: Vec<Entry>,
    generation: u64,
    /// How many events there ever were: the id of the next.
    ids: u64,
    told: Told,
}

#[derive(Debug, Clone)]
struct Entry {
    id: u64,
    client_only: bool,
    generation: u64,
}

/// What came of the last news; events by their ids.
#[derive(Debug, Clone, Default, PartialEq)]
enum Told {
    #[default]
    Rejected,
    Taken {
        confirmed: Vec<u64>,
        new: Vec<u64>,
        cut_at: Option<(u64, u64)>,
    },
}

impl Lists {
    fn push(&mut self, are_client_only: &[bool]) {
        let mut confirmed = Vec::new();
        for &client_only in are_client_only {
            let entry = self.entry(client_only, self.generation);
            if client_only && self.pending.is_empty() {
                confirmed.push(entry.id);
                self.confirmed.push(entry);
            } else {
                self.pending.push(entry);
            }
        }
        self.told = Told::Taken { confirmed, new: vec![], cut_at: None };
    }

    fn advance(&mut self, known: usize, others: usize) {
        let mut confirmed = Vec::new();
        let mut synced = 0;
        while self.pending.first().is_some_and(|first| first.client_only || synced < known) {
            let first = self.pending.remove(0);
            synced += usize::from(!first.client_only);
            confirmed.push(first.id);
            self.confirmed.push(first);
        }
        let cut_at = self.places().get(self.confirmed.len()).copied();
        let new = self.append(others);
        let is_rebase = !new.is_empty() && !self.pending.is_empty();
        if is_rebase {
            self.renumber();
        }
        self.told = Told::Taken { confirmed, new, cut_at: cut_at.filter(|_| is_rebase) };
    }

    fn replace(&mut self, keep: u64, others: usize) {
        while self.end() > (keep, 0) {
            self.confirmed.pop();
        }
        let new = self.append(others);
        if !self.pending.is_empty() {
            self.renumber();
        }
        self.told = Told::Taken { confirmed: vec![], new, cut_at: Some((keep, 1)) };
    }

    fn append(&mut self, others: usize) -> Vec<u64> {
        let new: Vec<Entry> = (0..others).map(|_| self.entry(false, 0)).collect();
        self.confirmed.extend_from_slice(&new);
        new.iter().map(|entry| entry.id).collect()
    }

    fn renumber(&mut self) {
        self.generation += 1;
        self.pending.iter_mut().for_each(|entry| entry.generation = self.generation);
    }

    fn entry(&mut self, client_only: bool, generation: u64) -> Entry {
        self.ids += 1;
        Entry { id: self.ids, client_only, generation }
    }

    /// The places of all events, first to last.
    fn places(&self) -> Vec<(u64, u64)> {
        let mut last = (0, 0);
        let mut count = |entry: &Entry| {
            last = if entry.client_only { (last.0, last.1 + 1) } else { (last.0 + 1, 0) };
            last
        };
        self.confirmed.iter().chain(&self.pending).map(&mut count).collect()
    }

    /// The place of the last confirmed event.
    fn end(&self) -> (u64, u64) {
        self.places().into_iter().take(self.confirmed.len()).next_back().unwrap_or_default()
    }
}

/// What happens.
#[derive(Debug, Clone)]
enum Step {
    /// The store commits events; `true` is a client-only one.
    Push(Vec<bool>),
    /// The same, as if the log ended elsewhere.
    MisplacedPush { off: i64 },
    /// The backend has so many of the pending events, and then so many of others.
    Advance { known: usize, others: usize },
    /// So many events that fit, and then one that does not.
    MisplacedAdvance { fitting: u64, off: i64 },
    /// The backend has another order after this event of it.
    Replace { keep: u64, others: usize },
    /// The same, after an event that is not there.
    MisplacedReplace { off: u64 },
}

impl ReferenceStateMachine for Lists {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self::default()).boxed()
    }

    fn transitions(lists: &Self) -> BoxedStrategy<Step> {
        let off = || select(vec![-2, -1, 1, 2]);
        prop_oneof![
            4 => prop::collection::vec(prop::bool::weighted(0.3), 0..5).prop_map(Step::Push),
            4 => (0..4usize, 0..3usize)
                .prop_map(|(known, others)| Step::Advance { known, others }),
            1 => (0..=lists.end().0, 0..3usize)
                .prop_map(|(keep, others)| Step::Replace { keep, others }),
            1 => off().prop_map(|off| Step::MisplacedPush { off }),
            1 => (0..3u64, off()).prop_map(|(fitting, off)| Step::MisplacedAdvance { fitting, off }),
            1 => (1..3u64).prop_map(|off| Step::MisplacedReplace { off }),
        ]
        .boxed()
    }

    fn preconditions(lists: &Self, step: &Step) -> bool {
        match step {
            Step::Replace { keep, .. } => *keep <= lists.end().0,
            Step::MisplacedPush { off } | Step::MisplacedAdvance { off, .. } => {
                lists.end().0.checked_add_signed(*off).is_some()
            }
            _ => true,
        }
    }

    fn apply(mut lists: Self, step: &Step) -> Self {
        match step {
            Step::Push(are_client_only) => lists.push(are_client_only),
            Step::Advance { known, others } => lists.advance(*known, *others),
            Step::Replace { keep, others } => lists.replace(*keep, *others),
            Step::MisplacedPush { .. }
            | Step::MisplacedAdvance { .. }
            | Step::MisplacedReplace { .. } => lists.told = Told::Rejected,
        }
        lists
    }
}

/// The state, and who feeds it.
struct Client {
    state: SyncState,
    ids: u64,
    told: Told,
}

impl Client {
    /// Events behind `head`, as a store makes them.
    fn commit(&mut self, mut head: SeqNum, are_client_only: &[bool]) -> Payload {
        let mut event = |&client_only: &bool| {
            let (seq, parent) = head.next(client_only);
            head = seq;
            self.event(seq, parent)
        };
        Payload::LocalPush(are_client_only.iter().map(&mut event).collect())
    }

    /// The first pending events and then others, as the backend has them.
    fn news(&mut self, known: usize, others: usize) -> Vec<EncodedEvent> {
        let pending = self.state.pending.iter().filter(|event| !event.is_client_only()).take(known);
        let mut news: Vec<_> = pending.map(told_again).collect();
        let head = news.last().map_or(self.state.upstream_head.global, |last| last.seq.global);
        news.extend(self.others(head, others));
        news
    }

    /// Events of others that follow `head`.
    fn others(&mut self, head: u64, count: usize) -> Vec<EncodedEvent> {
        let seqs = (head..).take(count);
        seqs.map(|head| self.event(SeqNum::new(head + 1), SeqNum::new(head))).collect()
    }

    /// A new event: its id is its session, and nothing else tells it from half of the others.
    fn event(&mut self, seq: SeqNum, parent: SeqNum) -> EncodedEvent {
        self.ids += 1;
        EncodedEvent {
            seq,
            parent,
            name: "v1.E".into(),
            args: format!("{{\"n\":{}}}", self.ids % 2),
            client_id: "c".into(),
            session_id: self.ids.to_string().into(),
            schema_hash: 0,
            sync_metadata: None,
            continues: false,
        }
    }

    fn payload(&mut self, step: Step) -> Payload {
        let (local, upstream) = (self.state.local_head, self.state.upstream_head.global);
        match step {
            Step::Push(are_client_only) => self.commit(local, &are_client_only),
            Step::Advance { known, others } => Payload::UpstreamAdvance(self.news(known, others)),
            Step::Replace { keep, others } => {
                let events = self.others(keep, others);
                Payload::UpstreamRebase { keep: SeqNum::new(keep), events }
            }
            Step::MisplacedPush { off } => {
                let global = local.global.saturating_add_signed(off);
                self.lost(|client| client.commit(SeqNum { global, ..local }, &[false]))
            }
            Step::MisplacedAdvance { fitting, off } => {
                let beyond = (upstream + fitting).saturating_add_signed(off);
                Payload::UpstreamAdvance(self.lost(|client| {
                    let mut events = client.others(upstream, fitting as usize);
                    events.extend(client.others(beyond, 1));
                    events
                }))
            }
            Step::MisplacedReplace { off } => {
                Payload::UpstreamRebase { keep: SeqNum::new(upstream + off), events: vec![] }
            }
        }
    }

    /// What is rejected takes no ids.
    fn lost<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> T {
        let ids = self.ids;
        let made = make(self);
        self.ids = ids;
        made
    }
}

/// A pending event as it comes back: with other spaces, and another kind of number.
fn told_again(event: &EncodedEvent) -> EncodedEvent {
    let args = event.args.replace(':', ": ").replace('}', ".0}");
    let (seq, parent) = (SeqNum::new(event.seq.global), SeqNum::new(event.seq.global - 1));
    EncodedEvent { seq, parent, args, sync_metadata: Some("{}".into()), ..event.clone() }
}

fn id(event: &EncodedEvent) -> u64 {
    event.session_id.parse().unwrap()
}

fn told(outcome: &Outcome) -> Told {
    let (advance, cut_at) = match outcome {
        Outcome::Reject { .. } => return Told::Rejected,
        Outcome::Advance(advance) => (advance, None),
        Outcome::Rebase(rebase) => (&rebase.advance, Some(place(rebase.from))),
    };
    let confirmed = advance.confirmed.iter().map(id).collect();
    Told::Taken { confirmed, new: advance.new.iter().map(id).collect(), cut_at }
}

/// What cannot be written is as if it had not been told.
fn check_take_back(before: &SyncState, payload: Payload) {
    let mut state = before.clone();
    let outcome = state.merge(payload);
    state.take_back(outcome, before.heads());
    // The generation of a parent means nothing.
    for (event, was) in state.pending.iter_mut().zip(&before.pending) {
        event.parent.generation = was.parent.generation;
    }
    assert_eq!(&state, before);
}

impl StateMachineTest for Client {
    type SystemUnderTest = Self;
    type Reference = Lists;

    fn init_test(_: &Lists) -> Self {
        Self { state: SyncState::default(), ids: 0, told: Told::default() }
    }

    fn apply(mut client: Self, _: &Lists, step: Step) -> Self {
        let payload = client.payload(step);
        if !matches!(payload, Payload::LocalPush(_)) {
            check_take_back(&client.state, payload.clone());
        }
        client.told = told(&client.state.merge(payload));
        client
    }

    fn check_invariants(client: &Self, lists: &Lists) {
        assert_eq!(client.told, lists.told);
        let state = &client.state;
        assert_eq!(place(state.upstream_head), (lists.end().0, 0));
        assert_eq!(place(state.confirmed_head), lists.end());
        let places = lists.places();
        assert_eq!(place(state.local_head), places.last().copied().unwrap_or_default());
        assert_eq!(state.local_head.generation, lists.generation);
        let pending = lists.pending.iter().zip(&places[lists.confirmed.len()..]);
        let pending: Vec<_> =
            pending.map(|(entry, place)| (entry.id, *place, entry.generation)).collect();
        let found = state.pending.iter().map(|e| (id(e), place(e.seq), e.seq.generation));
        assert_eq!(found.collect::<Vec<_>>(), pending);
        let mut before = lists.end();
        for event in &state.pending {
            let parent = if event.is_client_only() { before } else { (before.0, 0) };
            assert_eq!(place(event.parent), parent, "of {}", event.seq);
            before = place(event.seq);
        }
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn the_state_is_what_the_lists_say(sequential 1..40 => Client);
}
