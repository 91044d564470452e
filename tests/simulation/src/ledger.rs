//! What must be true: the ledgers of the server's events and of each client's commits.

use std::collections::{BTreeMap, BTreeSet};

use livestore::prelude::*;
use livestore::sync::{NetworkStatus, SyncEvent, SyncStatus};

use crate::app::{Key, is_client_only, is_refused, key};
use crate::client::Habits;
use crate::model::{self, Shared};
use crate::slot::{Astray, Mine, Session, Slot, is_given_up};

/// The server's events of one store, as they were seen on its disk. It only ever grows.
#[derive(Debug, Default)]
pub struct Ledger {
    /// The events.
    pub events: Vec<SyncEvent>,
    /// There was another history once, on which clients have decided.
    pub is_replaced: bool,
}

impl Ledger {
    /// The last event's number.
    pub fn head(&self) -> u64 {
        self.events.len() as u64
    }

    /// Takes events in that are new on the disk.
    pub fn extend(&mut self, new: impl IntoIterator<Item = SyncEvent>) -> Result<(), String> {
        for event in new {
            if event.parent != self.head() || event.seq != self.head() + 1 {
                return Err(format!(
                    "the server has e{} ← e{} behind e{}",
                    event.seq,
                    event.parent,
                    self.head()
                ));
            }
            self.events.push(event);
        }
        Ok(())
    }

    /// What the server has after a restart must be all it had, and perhaps more.
    pub fn compare(&mut self, found: Vec<SyncEvent>) -> Result<(), String> {
        for (known, found) in self.events.iter().zip(&found) {
            if known != found {
                return Err(format!("the server had {known:?}, and now has {found:?}"));
            }
        }
        if found.len() < self.events.len() {
            return Err(format!("the server lost the events behind e{}", found.len()));
        }
        let known = self.events.len();
        self.extend(found.into_iter().skip(known))
    }

    /// A client's events, in order; of one session, if one is given.
    pub(crate) fn of<'a>(
        &'a self,
        client_id: &'a str,
        session_id: Option<&'a str>,
    ) -> impl Iterator<Item = Key> + 'a {
        let own = self.events.iter().filter(move |event| {
            let session = model::session(event).0;
            *event.client_id == *client_id && session_id.is_none_or(|id| id == session)
        });
        own.map(|event| key(&event.name, &event.args))
    }
}

impl Slot {
    /// Looks at the store's sessions after they may have changed.
    pub fn observe(&mut self, ledger: &Ledger, syncs: bool) -> Result<(), String> {
        self.note_leader();
        let is_shared = self.is_shared();
        for session in &mut self.sessions {
            let Some(status) = session.status() else { continue };
            if self.tool.is_some() && status.network == NetworkStatus::None {
                // A session without the backend leads: the order is its own for now.
                (session.before, session.compared) = (None, 0);
                continue;
            }
            if session.astray.is_some() && syncs {
                if !session.has_started_over(&status, is_shared) {
                    continue;
                }
                (session.astray, session.before, session.compared) = (None, None, 0);
                self.astray = None;
            }
            let follows = self.leader != Some(session.owner);
            let client_id = self.client_id.as_deref().filter(|_| !follows);
            let may_withdraw = !self.asked.is_empty();
            let observed = session.observe(status, client_id, ledger, (syncs, may_withdraw));
            observed.map_err(|what| session.context(is_shared, what))?;
        }
        Ok(())
    }

    /// A store that went astray, at rest: it knows that the server is not the one it knew, or has
    /// what the server has.
    pub fn check_astray(
        &mut self,
        astray: Astray,
        habits: &Habits,
        ledger: &Ledger,
    ) -> Result<(), String> {
        self.sessions.iter_mut().try_for_each(|session| {
            let status = session.status().ok_or("it has closed itself")?;
            let upstream = status.upstream_head.global;
            match astray {
                _ if status.is_synced() && upstream != ledger.head() => {
                    Err(format!("it says {status:?}, and the server has e{}", ledger.head()))
                }
                Astray::Replaced if status.is_synced() => {
                    session.compared = 0;
                    session.compare(upstream, ledger)
                }
                Astray::Replaced if !is_given_up(&status, habits.on_reset) => {
                    Err(format!("another server is there, and it says {status:?}"))
                }
                _ => Ok(()),
            }
        })
    }

    /// All sessions have the same events, and the same state.
    pub fn check_converged(&self) -> Result<(), String> {
        let mut first = None;
        for (session, open) in self.open_sessions() {
            let (events, hash) = (open.events(SeqNum::ROOT, false)?, open.hash()?);
            let Some((id, former, former_hash)) = &first else {
                first = Some((session.id.clone(), events, hash));
                continue;
            };
            if let Some((ours, theirs)) = former.iter().zip(&events).find(|(a, b)| a != b) {
                return Err(format!("session {id} has {ours:?}, and {} {theirs:?}", session.id));
            }
            if former.len() != events.len() {
                let counts = (former.len(), events.len());
                return Err(format!("of two sessions, one has more events: {counts:?}"));
            }
            if *former_hash != hash {
                return Err("two sessions have the same events and another state".to_owned());
            }
        }
        Ok(())
    }

    /// The log has what was committed, in order, and nothing else, as far as each session can know.
    pub fn check_own(&self, is_at_rest: bool) -> Result<(), String> {
        for (session, open) in self.open_sessions() {
            let events = open.events(SeqNum::ROOT, false)?;
            let is_own =
                |event: &&EncodedEvent| Some(&*event.client_id) == self.client_id.as_deref();
            let own: Vec<&EncodedEvent> = events.iter().filter(is_own).collect();
            if !self.is_shared() {
                self.check_events(&own, None, &|mine| !mine.may_be_missing())?;
                continue;
            }
            let leads = self.leader == Some(session.owner);
            let is_due = |mine: &Mine| {
                let is_known = is_at_rest || mine.session == session.id;
                match is_known {
                    _ if mine.is_decided => false,
                    true => !mine.maybe,
                    false if self.is_alive(&mine.session) => leads && mine.written && !mine.maybe,
                    false => leads && !mine.may_be_missing(),
                }
            };
            let ids: BTreeSet<&str> = self.mine.iter().map(|mine| &*mine.session).collect();
            let is_ours = |event: &&&EncodedEvent| ids.contains(&*event.session_id);
            if let Some(stray) = own.iter().find(|event| !is_ours(event)) {
                return Err(format!("nobody has committed {stray:?}"));
            }
            for id in ids {
                let of_session = own.iter().filter(|event| *event.session_id == *id).copied();
                let checked = self.check_events(&of_session.collect::<Vec<_>>(), Some(id), &is_due);
                checked.map_err(|what| {
                    format!("as session {} has it, of session {id}, {what}", session.id)
                })?;
            }
        }
        Ok(())
    }

    /// Checks that these are the events that were committed, by one session or by all.
    fn check_events(
        &self,
        own: &[&EncodedEvent],
        session_id: Option<&str>,
        is_due: &dyn Fn(&Mine) -> bool,
    ) -> Result<(), String> {
        let is_of = |mine: &&Mine| session_id.is_none_or(|id| mine.session == id);
        let check = |is_meant: &dyn Fn(bool) -> bool| {
            let mine = self.mine.iter().filter(is_of);
            let mine: Vec<&Mine> = mine.filter(|mine| is_meant(mine.is_client_only)).collect();
            // What the backend refuses is client-only from then on: its name says what it was.
            let own = own.iter().filter(|event| is_meant(is_client_only(&event.name)));
            accounts_for(&mine, own.map(|event| key(&event.name, &event.args)), |_| 0, is_due)
        };
        // The server may bring back what a crash has taken, behind client-only events since.
        let may_come_back = self
            .mine
            .iter()
            .filter(is_of)
            .any(|mine| mine.may_be_lost() && !mine.is_client_only && !mine.is_refused);
        check(&|_| true)
            .or_else(|what| match may_come_back {
                true => check(&|is_client_only| is_client_only)
                    .and_then(|()| check(&|is_client_only| !is_client_only)),
                false => Err(what),
            })
            .map_err(|what| format!("in a client's log, {what}"))
    }

    /// The server has what was committed and its rule does not forbid, in order, each once.
    pub fn check_server(&self, ledger: &Ledger) -> Result<(), String> {
        let Some(client_id) = &self.client_id else { return Ok(()) };
        let sessions: BTreeSet<_> = match self.is_shared() {
            true => self.mine.iter().map(|mine| Some(&*mine.session)).collect(),
            false => [None].into(),
        };
        for session in sessions {
            let is_due = |mine: &&Mine| {
                let is_of = session.is_none_or(|id| mine.session == id);
                is_of && !mine.is_client_only && !mine.is_refused
            };
            let synced: Vec<&Mine> = self.mine.iter().filter(is_due).collect();
            let found = ledger.of(client_id, session);
            let is_due = |mine: &Mine| !mine.maybe && !mine.is_decided;
            let found = accounts_for(&synced, found, |mine| mine.behind, is_due);
            found.map_err(|what| format!("in the server's log, {what}"))?;
        }
        Ok(())
    }
}

impl Session {
    /// An error with the session that it is about.
    pub(crate) fn context(&self, is_shared: bool, what: String) -> String {
        if is_shared { format!("session {}: {what}", self.id) } else { what }
    }

    /// Looks at a session that is not astray. The client's id is that of a session that leads.
    fn observe(
        &mut self,
        status: SyncStatus,
        client_id: Option<&str>,
        ledger: &Ledger,
        (syncs, may_withdraw): (bool, bool),
    ) -> Result<(), String> {
        if let Some(before) = &self.before {
            monotone(before, &status, may_withdraw)?;
            // What it had committed as a follower, and no leader had got, has its numbers from this log only now.
            if let Some(client_id) = client_id.filter(|_| syncs && self.led) {
                check_generation(before, &status, client_id, ledger)?;
            }
        }
        let upstream = status.upstream_head.global;
        if syncs && upstream > ledger.head() {
            return Err(format!(
                "a client's upstream head is e{upstream}, the server's last event e{}",
                ledger.head()
            ));
        }
        if syncs && upstream > self.compared {
            self.compare(upstream, ledger)?;
        }
        (self.before, self.led) = (Some(status), client_id.is_some());
        Ok(())
    }

    /// It has given its history up for the one that the server has now.
    fn has_started_over(&self, status: &SyncStatus, is_shared: bool) -> bool {
        let before = self.before.as_ref().map_or(0, |before| before.upstream_head.global);
        let now = status.upstream_head.global;
        // One that follows may not have been looked at before it had some of the new one.
        now < before && (now == 0 || is_shared)
    }

    /// What is confirmed is what the server has, and what it said of it.
    fn compare(&mut self, upstream: u64, ledger: &Ledger) -> Result<(), String> {
        let Some(open) = self.open() else { return Ok(()) };
        let after = SeqNum { client: u64::MAX, ..SeqNum::new(self.compared) };
        let confirmed = open.events(after, true)?;
        let mut synced = as_others_see(&confirmed).into_iter();
        let from = usize::try_from(self.compared).unwrap_or(usize::MAX);
        let to = usize::try_from(upstream).unwrap_or(usize::MAX);
        for theirs in ledger.events.get(from..to).unwrap_or_default() {
            let ours = synced.next();
            if ours.as_ref() != Some(theirs) {
                return Err(format!("the server has {theirs:?}, a client {ours:?}"));
            }
        }
        if let [last, next] = ledger.events.get(to.saturating_sub(1)..=to).unwrap_or_default()
            && model::continues(last, next)
        {
            return Err(format!("a client has a commit up to e{upstream}, and not the rest of it"));
        }
        if let Some(more) = synced.next() {
            return Err(format!("confirmed, and not the server's: {more:?}"));
        }
        self.compared = upstream;
        Ok(())
    }

    /// Each commit is in the state as a whole, or in quarantine; without its client-only events, if
    /// only they could not be applied.
    pub fn check_whole(&self) -> Result<(), String> {
        let Some(open) = self.open() else { return Ok(()) };
        let quarantined = open.quarantined()?;
        let quarantined: BTreeSet<_> =
            quarantined.iter().map(|seq| (seq.global, seq.client)).collect();
        let events = open.events(SeqNum::ROOT, false)?;
        let is_in =
            |event: &EncodedEvent| quarantined.contains(&(event.seq.global, event.seq.client));
        for commit in events.chunk_by(is_one_commit) {
            let (local, synced): (Vec<_>, Vec<_>) =
                commit.iter().partition(|event| event.is_client_only());
            let is_split = |part: &[&EncodedEvent]| {
                let count = part.iter().filter(|event| is_in(event) || is_unknown(event)).count();
                part.iter().any(|event| is_in(event)) && count < part.len()
            };
            let is_torn =
                synced.iter().any(|event| is_in(event)) && local.iter().any(|event| !is_in(event));
            if is_split(&synced) || is_split(&local) || is_torn {
                let seqs: Vec<_> = commit.iter().map(|event| (event.seq, is_in(event))).collect();
                return Err(format!("a part of a commit is quarantined: {seqs:?}"));
            }
        }
        Ok(())
    }

    /// A commit that the server's rule forbids is in quarantine, all of it, and for that reason; no
    /// other is.
    pub fn check_refused(&self, has_rule: bool) -> Result<(), String> {
        let Some(open) = self.open() else { return Ok(()) };
        let refused: BTreeSet<_> = open.refused()?.into_iter().collect();
        let events = open.events(SeqNum::ROOT, false)?;
        for commit in events.chunk_by(is_one_commit) {
            let is_forbidden =
                has_rule && commit.iter().any(|event| is_refused(&key(&event.name, &event.args)));
            let in_log = |event: &EncodedEvent| event.refusal().is_some();
            let in_state = |event: &EncodedEvent| refused.contains(&event.seq);
            let is_right =
                |it: &EncodedEvent| (in_log(it), in_state(it)) == (is_forbidden, is_forbidden);
            if !commit.iter().all(is_right) {
                let seqs: Vec<_> =
                    commit.iter().map(|it| (it.seq, in_log(it), in_state(it))).collect();
                let what = if is_forbidden { "is forbidden" } else { "breaks no rule" };
                return Err(format!("a commit {what}; refused in log and state: {seqs:?}"));
            }
        }
        Ok(())
    }

    /// The rows that all clients share are those that the server's events make.
    pub fn check_shared(&self, ledger: &Ledger) -> Result<(), String> {
        let Some(open) = self.open() else { return Ok(()) };
        let found = open.shared()?;
        let expected = Shared::of(&ledger.events, found.tags.is_some());
        if found == expected {
            return Ok(());
        }
        Err(format!("the state is {found:?}, and the server's events make {expected:?}"))
    }
}

/// A number means one event for good: whatever is numbered anew gets another generation.
fn check_generation(
    before: &SyncStatus,
    status: &SyncStatus,
    client_id: &str,
    ledger: &Ledger,
) -> Result<(), String> {
    let [from, to] = [before, status]
        .map(|status| usize::try_from(status.upstream_head.global).unwrap_or(usize::MAX));
    let news = ledger.events.get(from..to).unwrap_or_default();
    let is_own = |event: &SyncEvent| *event.client_id == *client_id;
    let confirmed = news.iter().take_while(|event| is_own(event)).count();
    let is_rebase = confirmed < news.len() && before.pending > confirmed && status.pending > 0;
    if is_rebase && status.local_head.generation == before.local_head.generation {
        return Err(format!(
            "events were numbered anew, and the head went from {} to {}",
            before.local_head, status.local_head
        ));
    }
    Ok(())
}

/// The synced events, as the server has them: other clients do not see that an event continues a
/// commit of which they have no event.
fn as_others_see(events: &[EncodedEvent]) -> Vec<SyncEvent> {
    let (mut seen, mut is_continued) = (Vec::new(), false);
    for event in events {
        is_continued &= event.continues;
        if event.is_client_only() {
            continue;
        }
        let mut event = event.clone();
        event.continues = is_continued;
        let metadata = event.sync_metadata.clone();
        seen.push(SyncEvent { metadata, ..SyncEvent::from(&event) });
        is_continued = true;
    }
    seen
}

fn is_one_commit(before: &EncodedEvent, event: &EncodedEvent) -> bool {
    event.continues
        && (&event.client_id, &event.session_id) == (&before.client_id, &before.session_id)
}

/// Whether some version does not know the event: that is no failure of its commit's.
fn is_unknown(event: &EncodedEvent) -> bool {
    event.name == "v2.ItemTagged"
}

fn monotone(before: &SyncStatus, now: &SyncStatus, may_withdraw: bool) -> Result<(), String> {
    let moved_back = |what, before: SeqNum, now: SeqNum| {
        Err(format!("a client's {what} head moved back from {before} to {now}"))
    };
    if now.upstream_head.global < before.upstream_head.global {
        return moved_back("upstream", before.upstream_head, now.upstream_head);
    }
    let (was, is) = (before.local_head, now.local_head);
    // What the backend refuses gives its number back, to a later generation.
    if now.refused > before.refused && is.generation > was.generation {
        return Ok(());
    }
    // So does a command that is withdrawn, or decides on fewer events.
    if may_withdraw && is.generation >= was.generation && is.global >= now.upstream_head.global {
        return Ok(());
    }
    if (is.global, is.generation) < (was.global, was.generation) || is.generation < was.generation {
        return moved_back("local", was, is);
    }
    Ok(())
}

/// Whether the events are those that were committed, in that order; only such that may be gone are
/// not among them.
///
/// Events that look alike make several readings possible: all that are left are kept in mind. An
/// event is none of the first ones: the number of those is `behind`. Events at the end may be missing
/// that are not `is_due`.
fn accounts_for(
    mine: &[&Mine],
    found: impl Iterator<Item = Key>,
    behind: impl Fn(&Mine) -> usize,
    is_due: impl Fn(&Mine) -> bool,
) -> Result<(), String> {
    let (mine, found) = without_strays(mine, found)?;
    let mut readings: Vec<usize> = vec![0];
    for (n, key) in found {
        let mut next = Vec::new();
        for &at in &readings {
            for (index, one) in mine.iter().enumerate().skip(at) {
                if one.key == key && n >= behind(one) {
                    next.push(index + 1);
                    if key.1 != 0 {
                        break;
                    }
                }
                if !one.may_be_missing() {
                    break;
                }
            }
        }
        next.sort_unstable();
        next.dedup();
        if next.is_empty() {
            let missing: Vec<_> = readings.iter().filter_map(|at| mine.get(*at)).collect();
            return Err(format!(
                "{key:?}, event {n} of its client, stands where {missing:?} is due"
            ));
        }
        readings = next;
    }
    let rest = |at: &usize| mine.iter().skip(*at).find(|mine| is_due(mine));
    match readings.iter().map(rest).min_by_key(Option::is_some).flatten() {
        None => Ok(()),
        Some(lost) => Err(format!("{lost:?} is lost")),
    }
}

/// Without events that a crash may have taken: the server may have them, and bring them back behind
/// what was committed since. Each at most as often as it was committed: what undoes an event may be committed
/// again after a crash.
fn without_strays<'a>(
    mine: &[&'a Mine],
    found: impl Iterator<Item = Key>,
) -> Result<(Vec<&'a Mine>, Vec<(usize, Key)>), String> {
    let is_stray = |one: &&&Mine| one.may_be_lost() && one.key.1 != 0;
    let strays: BTreeSet<&Key> = mine.iter().filter(is_stray).map(|one| &one.key).collect();
    let mut left: BTreeMap<&Key, usize> = BTreeMap::new();
    for one in mine.iter().filter(|one| strays.contains(&one.key)) {
        *left.entry(&one.key).or_default() += 1;
    }
    let mut rest = Vec::new();
    for (n, key) in found.enumerate() {
        match left.get_mut(&key) {
            None => rest.push((n, key)),
            Some(0) => return Err(format!("{key:?} is there more often than it was committed")),
            Some(left) => *left -= 1,
        }
    }
    let due = mine.iter().filter(|one| !strays.contains(&one.key));
    Ok((due.copied().collect(), rest))
}
