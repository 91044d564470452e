//! A leader, its backend and its sessions, in random order, with lines that are cut and leaders that die.
//! In the end all have the leader's log, with each commit once, and those of a session in their order.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::sync::merge::UpstreamChange;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}

fn event(session: usize, id: usize, client_only: bool, continues: bool) -> EncodedEvent {
    EncodedEvent {
        seq: SeqNum { client: client_only.into(), ..SeqNum::ROOT },
        parent: SeqNum::ROOT,
        name: format!("v1.{id}").into(),
        args: String::new(),
        client_id: "c".into(),
        session_id: format!("s{session}").into(),
        schema_hash: 0,
        sync_metadata: None,
        continues,
        command: None,
    }
}

/// The log of a leader, and how far it and its backend agree.
#[derive(Debug, Default)]
struct Leader {
    log: Vec<EncodedEvent>,
    sync: Option<SyncState>,
    history: usize,
    /// The backend's order.
    backend: Vec<EncodedEvent>,
    /// How far they agreed when a leader with the backend led last.
    agreed: SyncState,
}

impl Leader {
    fn head(&self) -> SeqNum {
        match &self.sync {
            Some(state) => state.local_head,
            None => self.log.last().map_or(SeqNum::ROOT, |event| event.seq),
        }
    }

    fn commit(&mut self, events: Vec<EncodedEvent>) -> Change {
        let events = behind(self.head(), events.into_iter());
        self.log.extend(events.iter().cloned());
        if let Some(state) = &mut self.sync {
            state.commit(events.clone());
        }
        Change::Committed(events)
    }

    /// Pulls what the backend has, after the leader has pushed some, or others have.
    fn pull(&mut self, dice: &mut Dice, id: &mut usize) -> Option<Change> {
        let state = self.sync.as_mut()?;
        let pushed = dice.below(3);
        let synced = state.pending.iter().filter(|event| !event.is_client_only());
        let mut pushed: Vec<_> = synced.take(pushed).cloned().collect();
        let mut others = Vec::new();
        for _ in 0..dice.below(3) {
            *id += 1;
            others.push(event(99, *id, false, false));
        }
        if dice.below(2) == 0 {
            std::mem::swap(&mut pushed, &mut others);
            pushed.truncate(if others.is_empty() { 9 } else { 1 });
            others.clear();
        }
        let mut at = state.upstream_head;
        let mut page = Vec::new();
        for event in pushed.into_iter().chain(others) {
            let (seq, parent) = at.next(false);
            at = SeqNum { generation: 0, ..seq };
            let parent = SeqNum { generation: 0, ..parent };
            page.push(EncodedEvent {
                seq: at,
                parent,
                sync_metadata: Some("null".into()),
                ..event
            });
        }
        let refuses = dice.below(8) == 0 && !state.pending.is_empty();
        let merge = if refuses {
            state.plan_refusal(state.first_commit_len(), "no")
        } else {
            self.backend.extend(page.iter().cloned());
            state.plan(UpstreamChange::Advance(page)).unwrap()
        };
        write(&mut self.log, &merge);
        state.publish(merge.clone());
        Some(Change::Merged { merge, rewrites_history: None })
    }

    /// The backend has changed.
    fn start_over(&mut self) -> Option<Change> {
        let state = self.sync.as_mut()?;
        let change = UpstreamChange::Replace { keep: SeqNum::ROOT, events: Vec::new() };
        let merge = state.plan(change).unwrap();
        write(&mut self.log, &merge);
        state.publish(merge.clone());
        self.backend.clear();
        self.history += 1;
        Some(Change::Merged { merge, rewrites_history: Some(self.history.to_string()) })
    }

    /// Another session leads, one without the backend after one that has it, or the other way round.
    fn switch(&mut self) {
        if let Some(state) = self.sync.take() {
            self.agreed = state;
            return;
        }
        let mut state = std::mem::take(&mut self.agreed);
        let new = self.log.iter().filter(|event| is_after(event.seq, state.local_head)).cloned();
        let new: Vec<_> = new.collect();
        for commit in new.chunk_by(|_, next| next.continues) {
            state.commit(commit.to_vec());
        }
        self.sync = Some(state);
    }

    fn order(&self) -> LeaderOrder {
        let head = self.head();
        let alone = || SyncState {
            upstream_head: head,
            confirmed_head: head,
            local_head: head,
            ..SyncState::default()
        };
        LeaderOrder {
            state: self.sync.clone().unwrap_or_else(alone),
            syncs: self.sync.is_some(),
            history_id: self.history.to_string(),
            surplus: 0,
        }
    }
}

/// Changes a log as a merge says.
fn write(log: &mut Vec<EncodedEvent>, merge: &Merge) {
    for confirmed in &merge.confirmed {
        let event = log.iter_mut().find(|event| event.seq == confirmed.seq).unwrap();
        if confirmed.sync_metadata.is_some() {
            event.sync_metadata = confirmed.sync_metadata.clone();
        }
    }
    if let Some(rebase) = &merge.rebase {
        log.retain(|event| is_after(rebase.from, event.seq));
    }
    log.extend(merge.new.iter().cloned());
    log.extend(merge.rebase.iter().flat_map(|rebase| rebase.pending.iter().cloned()));
}

/// A session: its mirror, the events that its state has, and what is on its way.
struct Session {
    number: usize,
    mirror: Mirror,
    state: Vec<EncodedEvent>,
    to_leader: VecDeque<Vec<EncodedEvent>>,
    from_leader: VecDeque<Change>,
    is_connected: bool,
    committed: Vec<usize>,
    /// Changed history may take acknowledged commits with it.
    sent: usize,
}

impl Session {
    fn new(number: usize, leader: &Leader) -> Self {
        let mut mirror = Mirror::new(format!("s{number}").into(), leader.order());
        if let Some(last) = leader.log.last() {
            mirror.set_last(last);
        }
        Self {
            number,
            mirror,
            state: leader.log.clone(),
            to_leader: VecDeque::new(),
            from_leader: VecDeque::new(),
            is_connected: true,
            committed: Vec::new(),
            sent: 0,
        }
    }

    fn commit(&mut self, dice: &mut Dice, id: &mut usize) {
        let mut events = Vec::new();
        for n in 0..=dice.below(3) {
            *id += 1;
            self.committed.push(*id);
            events.push(event(self.number, *id, dice.below(3) == 0, n > 0));
        }
        let events = behind(self.mirror.state().local_head, events.into_iter());
        self.state.extend(events.iter().cloned());
        self.mirror.commit(events);
        self.send();
    }

    fn send(&mut self) {
        while self.is_connected {
            let commit: Vec<_> = self.mirror.own_commit(self.sent).into_iter().cloned().collect();
            if commit.is_empty() {
                break;
            }
            self.sent += commit.len();
            self.to_leader.push_back(commit);
        }
    }

    /// What a state does with an update.
    fn follow(&mut self, planned: Planned, leader_log: &[EncodedEvent]) {
        match &planned.update {
            Update::Nothing => {}
            Update::Append(events) => self.state.extend(events.iter().cloned()),
            Update::Merge { merge, rewrites_history: false } => write(&mut self.state, merge),
            Update::Merge { merge, rewrites_history: true } => {
                let rebase = merge.rebase.as_ref().unwrap();
                let is_confirmed =
                    |event: &&EncodedEvent| !is_after(event.seq, merge.heads.confirmed);
                self.state = leader_log.iter().filter(is_confirmed).cloned().collect();
                self.state.extend(rebase.pending.iter().cloned());
            }
        }
        let before = self.mirror.own().len();
        self.mirror.publish(planned);
        let acknowledged = before - self.mirror.own().len();
        self.sent = self.sent.saturating_sub(acknowledged);
        self.send();
        let numbers = |events: &[EncodedEvent]| events.iter().map(|e| e.seq).collect::<Vec<_>>();
        let pending: Vec<_> = self.mirror.state().pending.iter().cloned().collect();
        let end = self.state.len() - pending.len();
        assert_eq!(numbers(&self.state[end..]), numbers(&pending));
        let last = self.state.last().map_or(SeqNum::ROOT, |event| event.seq);
        let head = self.mirror.state().local_head;
        assert_eq!((last.global, last.client), (head.global, head.client));
    }

    /// Receives several changes at once.
    fn receive_all(&mut self, leader_log: &[EncodedEvent], count: usize) {
        let count = count.min(self.from_leader.len());
        let changes: Vec<_> = self.from_leader.drain(..count).collect();
        if !changes.is_empty() {
            let planned = self.mirror.plan_all(changes).expect("the leader is in step");
            self.follow(planned, leader_log);
        }
    }

    fn receive(&mut self, leader_log: &[EncodedEvent]) {
        if let Some(change) = self.from_leader.pop_front() {
            let planned = self.mirror.plan(change).expect("the leader is in step");
            self.follow(planned, leader_log);
        }
    }

    fn reconnect(&mut self, leader: &Leader) {
        self.to_leader.clear();
        self.from_leader.clear();
        self.is_connected = true;
        self.sent = 0;
        let order = leader.order();
        let last = self.mirror.last();
        let last = last.and_then(|last| leader.log.iter().find(|event| event.seq == last.seq));
        let is_continued = self.mirror.is_continued_by(&order, last);
        let known = if is_continued { self.mirror.state().confirmed_head } else { SeqNum::ROOT };
        let confirmed = order.state.confirmed_head;
        let between = leader.log.iter();
        let between = between.filter(|e| is_after(e.seq, known) && !is_after(e.seq, confirmed));
        let planned = self.mirror.plan_order(order, between.cloned().collect(), is_continued);
        let log: Vec<_> = leader.log.clone();
        self.follow(planned, &log);
    }
}

/// What may happen in a world, besides the rest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum World {
    Plain,
    ChangesHistory,
    /// Not all sessions have the backend.
    Switches,
}

/// A world, and which things may happen in it.
fn run(seed: u64, syncs: bool, world: World) {
    let changes_history = world == World::ChangesHistory;
    let dice = &mut Dice(seed);
    let mut id = 0;
    let mut leader = Leader { sync: syncs.then(SyncState::default), ..Leader::default() };
    let mut sessions: Vec<_> = (0..1 + dice.below(3)).map(|n| Session::new(n, &leader)).collect();
    for _ in 0..60 {
        let at = dice.below(sessions.len());
        let session = &mut sessions[at];
        let change = match dice.below(12) {
            0..3 => {
                session.commit(dice, &mut id);
                None
            }
            3..6 => match session.to_leader.pop_front() {
                Some(commit) if session.is_connected => Some(leader.commit(commit)),
                _ => None,
            },
            6..8 => {
                session.receive(&leader.log);
                None
            }
            8 if !changes_history => {
                session.receive_all(&leader.log, 1 + dice.below(9));
                None
            }
            8 | 9 => leader.pull(dice, &mut id),
            10 => {
                id += 1;
                Some(leader.commit(vec![event(98, id, dice.below(3) == 0, false)]))
            }
            _ if changes_history && dice.below(4) == 0 => leader.start_over(),
            _ if world == World::Switches && dice.below(3) == 0 => {
                for session in &mut sessions {
                    session.is_connected = false;
                    session.from_leader.clear();
                    session.to_leader.clear();
                }
                leader.switch();
                None
            }
            _ => {
                // The line is cut; what was on its way may arrive, or not.
                if session.is_connected {
                    session.is_connected = false;
                    session.from_leader.clear();
                    let arrive = dice.below(session.to_leader.len() + 1);
                    let commits: Vec<_> = session.to_leader.drain(..arrive).collect();
                    session.to_leader.clear();
                    for commit in commits {
                        let change = leader.commit(commit);
                        broadcast(&mut sessions, &change);
                    }
                } else {
                    session.reconnect(&leader);
                }
                None
            }
        };
        if let Some(change) = change {
            broadcast(&mut sessions, &change);
        }
    }
    deliver_all(&mut leader, &mut sessions);
    for session in &sessions {
        assert_eq!(session.mirror.own().len(), 0);
        assert_eq!(session.mirror.state().local_head, leader.head());
        assert_eq!(names(&session.state), names(&leader.log), "session {}", session.number);
        let seqs = |log: &[EncodedEvent]| log.iter().map(|e| e.seq).collect::<Vec<_>>();
        assert_eq!(seqs(&session.state), seqs(&leader.log));
        if !changes_history {
            let own = format!("s{}", session.number);
            let there = leader.log.iter().filter(|event| *event.session_id == own);
            let there: Vec<_> = there.map(|event| event.name.to_string()).collect();
            let committed: Vec<_> = session.committed.iter().map(|id| format!("v1.{id}")).collect();
            assert_eq!(there, committed, "each commit is there once, in order");
        }
    }
    let mut all = names(&leader.log);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), leader.log.len(), "no event is there twice");
}

fn names(log: &[EncodedEvent]) -> Vec<String> {
    log.iter().map(|event| event.name.to_string()).collect()
}

fn broadcast(sessions: &mut [Session], change: &Change) {
    let connected = sessions.iter_mut().filter(|session| session.is_connected);
    connected.for_each(|session| session.from_leader.push_back(change.clone()));
}

/// Lets everything arrive.
fn deliver_all(leader: &mut Leader, sessions: &mut [Session]) {
    for session in sessions.iter_mut().filter(|session| !session.is_connected) {
        session.reconnect(leader);
        session.send();
    }
    loop {
        let mut is_quiet = true;
        for at in 0..sessions.len() {
            while !sessions[at].from_leader.is_empty() {
                sessions[at].receive(&leader.log);
                is_quiet = false;
            }
            if let Some(commit) = sessions[at].to_leader.pop_front() {
                let change = leader.commit(commit);
                broadcast(sessions, &change);
                is_quiet = false;
            }
        }
        if is_quiet {
            return;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn sessions_agree_with_a_leader_without_a_backend(seed: u64) {
        run(seed, false, World::Plain);
    }

    #[test]
    fn sessions_agree_with_a_leader_and_its_backend(seed: u64) {
        run(seed, true, World::Plain);
    }

    #[test]
    fn sessions_agree_where_not_all_have_the_backend(seed: u64) {
        run(seed, false, World::Switches);
    }
}

#[test]
fn a_leader_out_of_step_is_noticed() {
    let mirror = Mirror::new("s".into(), Leader::default().order());
    let late = behind(SeqNum::new(7), [event(1, 1, false, false)].into_iter());
    assert_eq!(mirror.plan(Change::Committed(late)), Err(OutOfStep));
    assert_eq!(mirror.plan(Change::Committed(Vec::new())), Err(OutOfStep));
}
