//! Random merges in random order, compared with lists: after each, the state must match the lists.
//!
//! The reference has no heads and no numbers. An event's number is its place, found by counting.

use proptest::prelude::*;
use proptest::sample::select;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use super::*;

/// Pen and paper.
#[derive(Debug, Clone, Default)]
struct Lists {
    confirmed: Vec<Entry>,
    pending: Vec<Entry>,
    generation: u64,
    /// The number of events there ever were: the id of the next.
    ids: u64,
    outcome: Outcome,
}

#[derive(Debug, Clone)]
struct Entry {
    id: u64,
    /// The id of the first event of its commit.
    commit: u64,
    client_only: bool,
    generation: u64,
}

/// The outcome of the last step; events by their ids.
#[derive(Debug, Clone, Default, PartialEq)]
enum Outcome {
    #[default]
    Rejected,
    Merged {
        confirmed: Vec<u64>,
        new: Vec<u64>,
        cut_at: Option<(u64, u64)>,
    },
}

impl Lists {
    fn commit(&mut self, are_client_only: &[bool]) {
        let commit = self.ids + 1;
        let waits = !self.pending.is_empty() || are_client_only.contains(&false);
        for &client_only in are_client_only {
            let entry = Entry { commit, ..self.entry(client_only, self.generation) };
            let list = if waits { &mut self.pending } else { &mut self.confirmed };
            list.push(entry);
        }
        self.outcome = Outcome::Merged { confirmed: vec![], new: vec![], cut_at: None };
    }

    fn advance(&mut self, known: usize, others: usize) {
        let confirmed: Vec<_> = self.pending.drain(..self.confirmable(known)).collect();
        let ids = confirmed.iter().map(|entry| entry.id).collect();
        self.confirmed.extend(confirmed);
        let cut_at = self.places().get(self.confirmed.len()).copied();
        let new = self.append(others);
        let is_rebase = !new.is_empty() && !self.pending.is_empty();
        if is_rebase {
            self.renumber();
        }
        let cut_at = cut_at.filter(|_| is_rebase);
        self.outcome = Outcome::Merged { confirmed: ids, new, cut_at };
    }

    /// The number of pending events up to this many synced ones, with the client-only ones behind
    /// them that are not of the next one's commit.
    fn confirmable(&self, synced: usize) -> usize {
        let is_synced = |at: &usize| !self.pending[*at].client_only;
        let places: Vec<_> = (0..self.pending.len()).filter(is_synced).collect();
        let Some(last) = synced.min(places.len()).checked_sub(1) else { return 0 };
        let Some(&next) = places.get(last + 1) else { return self.pending.len() };
        let of_the_next = |at: &usize| self.pending[*at].commit == self.pending[next].commit;
        next - (places[last] + 1..next).rev().take_while(of_the_next).count()
    }

    fn replace(&mut self, keep: u64, others: usize) {
        while self.end() > (keep, 0) {
            self.confirmed.pop();
        }
        let new = self.append(others);
        if !self.pending.is_empty() {
            self.renumber();
        }
        self.outcome = Outcome::Merged { confirmed: vec![], new, cut_at: Some((keep, 1)) };
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
        Entry { id: self.ids, commit: self.ids, client_only, generation }
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

/// A step.
#[derive(Debug, Clone)]
enum Step {
    /// The store commits events; `true` is a client-only one.
    Commit(Vec<bool>),
    /// The backend has this many of the pending events, and then this many of others.
    Advance { known: usize, others: usize },
    /// This many events that fit, and then one that does not.
    MisplacedAdvance { fitting: u64, off: i64 },
    /// The backend has another order after this event of it.
    Replace { keep: u64, others: usize },
    /// The same, after an event that does not exist.
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
            4 => prop::collection::vec(prop::bool::weighted(0.3), 0..5).prop_map(Step::Commit),
            4 => (0..4usize, 0..3usize)
                .prop_map(|(known, others)| Step::Advance { known, others }),
            1 => (0..=lists.end().0, 0..3usize)
                .prop_map(|(keep, others)| Step::Replace { keep, others }),
            1 => (0..3u64, off()).prop_map(|(fitting, off)| Step::MisplacedAdvance { fitting, off }),
            1 => (1..3u64).prop_map(|off| Step::MisplacedReplace { off }),
        ]
        .boxed()
    }

    fn preconditions(lists: &Self, step: &Step) -> bool {
        match step {
            Step::Replace { keep, .. } => *keep <= lists.end().0,
            Step::MisplacedAdvance { off, .. } => lists.end().0.checked_add_signed(*off).is_some(),
            _ => true,
        }
    }

    fn apply(mut lists: Self, step: &Step) -> Self {
        match step {
            Step::Commit(are_client_only) => lists.commit(are_client_only),
            Step::Advance { known, others } => lists.advance(*known, *others),
            Step::Replace { keep, others } => lists.replace(*keep, *others),
            Step::MisplacedAdvance { .. } | Step::MisplacedReplace { .. } => {
                lists.outcome = Outcome::Rejected;
            }
        }
        lists
    }
}

/// The state, and its events.
struct Client {
    state: SyncState,
    ids: u64,
    outcome: Outcome,
}

impl Client {
    fn commit(&mut self, are_client_only: &[bool]) {
        let (mut head, session) = (self.state.local_head, self.ids + 1);
        let event = |(n, &client_only): (usize, &bool)| {
            let (seq, parent) = head.next(client_only);
            head = seq;
            let session_id = session.to_string().into();
            EncodedEvent { session_id, continues: n > 0, ..self.event(seq, parent) }
        };
        let events = are_client_only.iter().enumerate().map(event).collect();
        self.state.commit(events);
    }

    /// The first pending events and then others, as the backend has them.
    fn news(&mut self, known: usize, others: usize) -> Vec<EncodedEvent> {
        let pending = self.state.pending.iter().filter(|event| !event.is_client_only()).take(known);
        let mut news: Vec<_> = pending.map(sent_back).collect();
        let head = news.last().map_or(self.state.upstream_head.global, |last| last.seq.global);
        news.extend(self.others(head, others));
        news
    }

    /// Events of others that follow `head`.
    fn others(&mut self, head: u64, count: usize) -> Vec<EncodedEvent> {
        let seqs = (head..).take(count);
        seqs.map(|head| self.event(SeqNum::new(head + 1), SeqNum::new(head))).collect()
    }

    /// A new event. Only its session distinguishes it from half of the others of its place. Its id
    /// is in a field that a merge does not read.
    fn event(&mut self, seq: SeqNum, parent: SeqNum) -> EncodedEvent {
        self.ids += 1;
        EncodedEvent {
            seq,
            parent,
            name: "v1.E".into(),
            args: format!("{{\"n\":{}}}", self.ids % 2),
            client_id: "c".into(),
            session_id: self.ids.to_string().into(),
            schema_hash: self.ids.cast_signed(),
            sync_metadata: None,
            continues: false,
            command: None,
        }
    }

    /// `None` for a commit, which is made.
    fn change(&mut self, step: Step) -> Option<UpstreamChange> {
        let upstream = self.state.upstream_head.global;
        Some(match step {
            Step::Commit(are_client_only) => {
                self.commit(&are_client_only);
                return None;
            }
            Step::Advance { known, others } => UpstreamChange::Advance(self.news(known, others)),
            Step::Replace { keep, others } => {
                let events = self.others(keep, others);
                UpstreamChange::Replace { keep: SeqNum::new(keep), events }
            }
            Step::MisplacedAdvance { fitting, off } => {
                let beyond = (upstream + fitting).saturating_add_signed(off);
                UpstreamChange::Advance(self.lost(|client| {
                    let mut events = client.others(upstream, fitting as usize);
                    events.extend(client.others(beyond, 1));
                    events
                }))
            }
            Step::MisplacedReplace { off } => {
                UpstreamChange::Replace { keep: SeqNum::new(upstream + off), events: vec![] }
            }
        })
    }

    /// Events that are rejected get no ids.
    fn lost<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> T {
        let ids = self.ids;
        let made = make(self);
        self.ids = ids;
        made
    }
}

/// A pending event as it comes back: with other spaces.
fn sent_back(event: &EncodedEvent) -> EncodedEvent {
    let args = event.args.replace(':', ": ");
    let (seq, parent) = (SeqNum::new(event.seq.global), SeqNum::new(event.seq.global - 1));
    EncodedEvent { seq, parent, args, sync_metadata: Some("{}".into()), ..event.clone() }
}

fn id(event: &EncodedEvent) -> u64 {
    event.schema_hash.cast_unsigned()
}

fn outcome(state: &SyncState, merge: &Merge) -> Outcome {
    let is_confirmed = |event: &&EncodedEvent| merge.confirmed.iter().any(|c| c.seq == event.seq);
    Outcome::Merged {
        confirmed: state.pending.iter().filter(is_confirmed).map(id).collect(),
        new: merge.new.iter().map(id).collect(),
        cut_at: merge.rebase.as_ref().map(|rebase| place(rebase.from)),
    }
}

impl StateMachineTest for Client {
    type SystemUnderTest = Self;
    type Reference = Lists;

    fn init_test(_: &Lists) -> Self {
        Self { state: SyncState::default(), ids: 0, outcome: Outcome::default() }
    }

    fn apply(mut client: Self, _: &Lists, step: Step) -> Self {
        client.outcome = match client.change(step) {
            None => Outcome::Merged { confirmed: vec![], new: vec![], cut_at: None },
            Some(change) => match client.state.plan(change) {
                Err(OutOfOrder { .. }) => Outcome::Rejected,
                Ok(merge) => {
                    let outcome = outcome(&client.state, &merge);
                    client.state.publish(merge);
                    outcome
                }
            },
        };
        client
    }

    fn check_invariants(client: &Self, lists: &Lists) {
        assert_eq!(client.outcome, lists.outcome);
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
        let synced = lists.pending.iter().filter(|entry| !entry.client_only).count();
        assert_eq!(state.to_push(), synced);
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
