//! Pages of the eventlog, which may have millions of events.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::sync::MutexGuard;

use livestore::SeqNum;
use livestore::event::EncodedEvent;
use serde_json::value::RawValue;

use super::cell::start_of;
use super::history::changes_of;
use super::{Host, Refused, Running, Target, lock, seq_of};
use crate::protocol::{
    EventDetails, EventFilter, EventKind, EventRow, EventSize, EventsPage, EventsPlace,
    RefusalCode, Sizes,
};

/// The most events of a page.
const MAX_EVENTS: u64 = 1_000;

/// The most events that are looked at for a page of those that a filter lets through.
const MAX_SCANNED: u64 = 20_000;

/// The bytes of args that a list shows.
const MAX_ARGS: usize = 300;

/// The number of events from one anchor to the next.
const STEP: usize = 1_000;

/// As many events are skipped from the end of the log, as all anchors are made of those before them.
const NEAR_END: usize = 4 * STEP;

/// Where in the log every thousandth event is. Only confirmed ones are anchors: their places are final.
#[derive(Default)]
pub(super) struct LogIndex {
    anchors: Vec<SeqNum>,
    /// The events up to here were counted, in this rebase generation.
    counted: (SeqNum, u64),
}

impl LogIndex {
    /// The number of events in the log.
    pub(super) fn total(&mut self, target: &dyn Target) -> Result<u64, Refused> {
        let head = target.head()?;
        let (up_to, count) = self.counted;
        let is_behind = up_to.generation == head.generation && up_to <= head;
        let count = match is_behind {
            true if up_to == head => count,
            true => count + target.count(up_to)?,
            false => {
                let anchored = self.anchors.last().copied().unwrap_or_default();
                if head < anchored {
                    self.anchors.clear();
                }
                let from = self.anchors.last().copied().unwrap_or_default();
                (self.anchors.len() * STEP) as u64 + target.count(from)?
            }
        };
        self.counted = (head, count);
        Ok(count)
    }

    /// The place behind which the event with this position comes, which counts from 0. The events were
    /// [counted](Self::total) before.
    fn before(&mut self, target: &dyn Target, position: u64) -> Result<SeqNum, Refused> {
        let (head, total) = self.counted;
        let position = usize::try_from(position).unwrap_or(usize::MAX);
        let behind = usize::try_from(total).unwrap_or(usize::MAX).saturating_sub(position);
        if behind <= NEAR_END {
            return Ok(target.skip_back(head, behind)?.unwrap_or_default());
        }
        let confirmed = target.status()?.upstream_head;
        while self.anchors.len() < position / STEP {
            let from = self.anchors.last().copied().unwrap_or_default();
            let next = target.skip(from, STEP)?;
            match next.filter(|next| *next <= confirmed && *next > from) {
                Some(next) => self.anchors.push(next),
                None => break,
            }
        }
        let anchored = (position / STEP).min(self.anchors.len());
        let anchor = anchored.checked_sub(1).and_then(|last| self.anchors.get(last));
        let from = anchor.copied().unwrap_or_default();
        match position - anchored * STEP {
            0 => Ok(from),
            rest => Ok(target.skip(from, rest)?.unwrap_or(from)),
        }
    }

    /// The position of the first event that is not before `seq`.
    fn position(&mut self, target: &dyn Target, seq: SeqNum) -> Result<u64, Refused> {
        let total = self.total(target)?;
        let before = SeqNum { client: seq.client.wrapping_sub(1), ..seq };
        let before = match (seq.client, seq.global) {
            (0, 0) => return Ok(0),
            (0, global) => SeqNum { global: global - 1, client: u64::MAX, generation: 0 },
            _ => before,
        };
        Ok(total - target.count(before)?.min(total))
    }
}

/// Where events stand: what is confirmed, pending, quarantined.
pub(super) struct Places {
    confirmed: SeqNum,
    quarantined: BTreeMap<(u64, u64), String>,
}

impl Places {
    pub(super) fn of(target: &dyn Target) -> Result<Self, Refused> {
        let quarantined = target.quarantined()?.into_iter();
        Ok(Self {
            confirmed: target.status()?.upstream_head,
            quarantined: quarantined
                .map(|event| ((event.seq.global, event.seq.client), event.reason.to_string()))
                .collect(),
        })
    }

    fn kind(&self, event: &EncodedEvent) -> EventKind {
        if self.reason(event).is_some() {
            EventKind::Quarantined
        } else if event.is_client_only() {
            EventKind::ClientOnly
        } else if event.seq.global > self.confirmed.global {
            EventKind::Pending
        } else {
            EventKind::Confirmed
        }
    }

    fn reason(&self, event: &EncodedEvent) -> Option<&String> {
        self.quarantined.get(&(event.seq.global, event.seq.client))
    }

    pub(super) fn row(&self, event: &EncodedEvent) -> EventRow {
        EventRow {
            seq: event.seq.to_string(),
            name: event.name.to_string(),
            args: start_of(&event.args, MAX_ARGS).to_owned(),
            args_length: event.args.len(),
            client_id: event.client_id.to_string(),
            session_id: event.session_id.to_string(),
            kind: self.kind(event),
            continues: event.continues,
        }
    }

    fn passes(&self, event: &EncodedEvent, filter: &EventFilter) -> bool {
        let EventFilter { names, client, session, text, kind } = filter;
        (names.is_empty() || names.iter().any(|name| *name == event.name))
            && event.client_id.starts_with(client)
            && event.session_id.starts_with(session)
            && kind.is_none_or(|kind| kind == self.kind(event))
            && (text.is_empty() || event.args.to_lowercase().contains(&text.to_lowercase()))
    }
}

impl Host {
    pub(super) fn events(
        &self,
        fork: Option<u64>,
        place: &EventsPlace,
        limit: u64,
        filter: &EventFilter,
        running: &Running,
    ) -> Result<EventsPage, Refused> {
        let limit = limit.clamp(1, MAX_EVENTS);
        let target = &*self.sources.target(fork)?;
        let mut index = self.index_of(fork);
        let total = index.total(target)?;
        let at = match (place.index, &place.after, &place.before) {
            (Some(position), None, None) => position.min(total),
            (None, Some(after), None) => {
                let after = seq_of(after)?;
                let next = SeqNum { client: after.client + 1, ..after };
                index.position(target, next)?
            }
            (None, None, Some(before)) => index.position(target, seq_of(before)?)?,
            (None, None, None) => total,
            _ => {
                let message = "`index`, `after` and `before` exclude one another";
                return Err(Refused::new(RefusalCode::BadCall, message));
            }
        };
        let is_backward = place.index.is_none() && place.after.is_none();
        if filter.is_empty() {
            let begin = if is_backward { at.saturating_sub(limit) } else { at };
            let wanted = if is_backward { at - begin } else { limit };
            let events = read(&mut index, target, begin, wanted)?;
            drop(index);
            let more = if is_backward { begin > 0 } else { begin + (events.len() as u64) < total };
            let edge = if is_backward { events.first() } else { events.last() };
            let scanned = edge.map(|event| event.seq.to_string());
            let places = Places::of(target)?;
            let events = events.iter().map(|event| places.row(event)).collect();
            return Ok(EventsPage { events, index: Some(begin), total, more, scanned });
        }
        let scan = Scan { target, filter, limit, total, is_backward };
        scan.run(&mut index, at, running)
    }

    pub(super) fn event(&self, fork: Option<u64>, seq: &str) -> Result<EventDetails, Refused> {
        let seq = seq_of(seq)?;
        let target = &*self.sources.target(fork)?;
        let mut index = self.index_of(fork);
        let position = index.position(target, seq)?;
        let around = read(&mut index, target, position.saturating_sub(100), 201)?;
        drop(index);
        let is_it =
            |event: &EncodedEvent| (event.seq.global, event.seq.client) == (seq.global, seq.client);
        let none = || Refused::new(RefusalCode::NotFound, format!("there is no event {seq}"));
        let at = around.iter().position(is_it).ok_or_else(none)?;
        let event = around.get(at).ok_or_else(none)?;
        let places = Places::of(target)?;
        let quarantined = places.reason(event).cloned();
        let changes = match &quarantined {
            Some(_) => Some(Vec::new()),
            None => changes_of(target, event.seq)?,
        };
        Ok(EventDetails {
            event: places.row(event),
            args: if event.args.is_empty() { Box::default() } else { json_of(&event.args) },
            parent: event.parent.to_string(),
            rebases: event.seq.generation,
            schema_hash: format!("{:016x}", event.schema_hash),
            sync_metadata: event.sync_metadata.as_deref().map(json_of),
            commit: commit_of(&around, at),
            quarantined,
            changes,
        })
    }

    /// The index of the store's log. A fork is in memory, and needs none.
    fn index_of(&self, fork: Option<u64>) -> IndexGuard<'_> {
        match fork {
            None => IndexGuard::Shared(lock(&self.log)),
            Some(_) => IndexGuard::Own(LogIndex::default()),
        }
    }

    pub(super) fn sizes(&self, running: &Running) -> Result<Sizes, Refused> {
        let mut sizes = BTreeMap::<String, (u64, u64)>::new();
        let mut at = SeqNum::ROOT;
        loop {
            running.check()?;
            let page = self.target.read(at, STEP)?;
            let Some(last) = page.last() else { break };
            at = last.seq;
            for event in &page {
                let size = sizes.entry(event.name.to_string()).or_default();
                *size = (size.0 + 1, size.1 + event.args.len() as u64);
            }
        }
        let size = |(name, (count, bytes))| EventSize { name, count, bytes };
        let mut events: Vec<_> = sizes.into_iter().map(size).collect();
        events.sort_by_key(|size| std::cmp::Reverse(size.bytes));
        Ok(Sizes { events, state_bytes: self.target.state_bytes()? })
    }
}

/// An index that is used by one call at a time.
enum IndexGuard<'a> {
    Shared(MutexGuard<'a, LogIndex>),
    Own(LogIndex),
}

impl Deref for IndexGuard<'_> {
    type Target = LogIndex;

    fn deref(&self) -> &LogIndex {
        match self {
            Self::Shared(index) => index,
            Self::Own(index) => index,
        }
    }
}

impl DerefMut for IndexGuard<'_> {
    fn deref_mut(&mut self) -> &mut LogIndex {
        match self {
            Self::Shared(index) => index,
            Self::Own(index) => index,
        }
    }
}

/// The search for the events of a page that a filter lets through.
struct Scan<'a> {
    target: &'a dyn Target,
    filter: &'a EventFilter,
    limit: u64,
    total: u64,
    is_backward: bool,
}

impl Scan<'_> {
    fn run(&self, index: &mut LogIndex, at: u64, running: &Running) -> Result<EventsPage, Refused> {
        let places = Places::of(self.target)?;
        let (mut at, mut scanned, mut last) = (at, 0, None);
        let mut found: Vec<EventRow> = Vec::new();
        while (found.len() as u64) < self.limit && scanned < MAX_SCANNED && !self.is_end(at) {
            running.check()?;
            let count = if self.is_backward { at.min(STEP as u64) } else { STEP as u64 };
            let begin = if self.is_backward { at - count } else { at };
            let mut events = read(index, self.target, begin, count)?;
            if self.is_backward {
                events.reverse();
            }
            if events.is_empty() {
                at = if self.is_backward { 0 } else { self.total };
                break;
            }
            for event in &events {
                scanned += 1;
                at = if self.is_backward { at - 1 } else { at + 1 };
                last = Some(event.seq);
                if places.passes(event, self.filter) {
                    found.push(places.row(event));
                }
                if found.len() as u64 == self.limit {
                    break;
                }
            }
        }
        if self.is_backward {
            found.reverse();
        }
        let scanned = last.map(|seq| seq.to_string());
        let (total, more) = (self.total, !self.is_end(at));
        Ok(EventsPage { events: found, index: None, total, more, scanned })
    }

    fn is_end(&self, at: u64) -> bool {
        if self.is_backward { at == 0 } else { at >= self.total }
    }
}

/// The events from this position on.
fn read(
    index: &mut LogIndex,
    target: &dyn Target,
    position: u64,
    count: u64,
) -> Result<Vec<EncodedEvent>, Refused> {
    let after = index.before(target, position)?;
    target.read(after, usize::try_from(count).unwrap_or_default())
}

/// The numbers of the events that are of one commit with the one at this position.
fn commit_of(events: &[EncodedEvent], at: usize) -> Vec<String> {
    let begin = (0..=at).rev().find(|n| events.get(*n).is_some_and(|event| !event.continues));
    let begin = begin.unwrap_or_default();
    let others = events.iter().skip(begin + 1).take_while(|event| event.continues);
    let commit: BTreeSet<_> =
        events.get(begin).into_iter().chain(others).map(|event| event.seq).collect();
    commit.iter().map(ToString::to_string).collect()
}

/// JSON that has to be there already.
fn json_of(text: &str) -> Box<RawValue> {
    let quoted = || serde_json::value::to_raw_value(text);
    RawValue::from_string(text.to_owned()).or_else(|_| quoted()).unwrap_or_default()
}
