//! What the server's events mean, without the store's code: the shared state, made by hand.
//!
//! Commits are applied as a whole or not at all, so all clients have the same events in quarantine
//! and the same rows.

use std::collections::{BTreeMap, BTreeSet};

use livestore::sync::SyncEvent;
use serde_json::Value;

use crate::bookings::Bookings;

/// The part of the state that is the same for every client of a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shared {
    /// Owner and rank by id.
    pub items: BTreeMap<String, (i64, i64)>,
    /// The tallies.
    pub tallies: BTreeMap<i64, i64>,
    /// Seats and accounts.
    pub bookings: Bookings,
    /// The tags; the first version has none.
    pub tags: Option<BTreeMap<String, i64>>,
    /// The numbers of the synced events that could not be applied.
    pub quarantined: BTreeSet<u64>,
}

/// The commits that the server's events are, as every client must see them.
pub fn commits(events: &[SyncEvent]) -> impl Iterator<Item = &[SyncEvent]> {
    events.chunk_by(|before, event| continues(before, event))
}

/// Whether an event belongs to the commit of the one before it.
pub fn continues(before: &SyncEvent, event: &SyncEvent) -> bool {
    let (session, _) = session(before);
    event.client_id == before.client_id && self::session(event) == (session, true)
}

/// The session that an event was committed in, and whether it claims to continue a commit.
pub fn session(event: &SyncEvent) -> (&str, bool) {
    let id = &*event.session_id;
    id.strip_suffix('+').map_or((id, false), |id| (id, true))
}

impl Shared {
    /// The rules that commands alone can keep, behind each of these events.
    pub fn check_bookings(events: &[SyncEvent]) -> Result<(), String> {
        let mut bookings = Bookings::default();
        for commit in commits(events) {
            for event in commit {
                if let Ok(args) = serde_json::from_str(&event.args) {
                    bookings.apply(&event.name, &args);
                }
            }
            let last = commit.last().map_or(0, |last| last.seq);
            bookings
                .check()
                .map_err(|what| format!("in the server's order, at e{last}, {what}"))?;
        }
        Ok(())
    }

    /// The state after these events, for a client that knows tags or does not.
    pub fn of(events: &[SyncEvent], knows_tags: bool) -> Self {
        let mut state = Self { tags: knows_tags.then(BTreeMap::new), ..Self::default() };
        for commit in commits(events) {
            let before = (state.items.clone(), state.tallies.clone(), state.tags.clone());
            if commit.iter().all(|event| state.apply(event).is_some()) {
                continue;
            }
            (state.items, state.tallies, state.tags) = before;
            let known = commit.iter().filter(|event| knows_tags || !is_tag(event));
            state.quarantined.extend(known.map(|event| event.seq));
        }
        state
    }

    /// `None` if it cannot be applied; then it may have been applied in part.
    fn apply(&mut self, event: &SyncEvent) -> Option<()> {
        let args: Value = serde_json::from_str(&event.args).ok()?;
        let text = |name: &str| args.get(name)?.as_str().map(str::to_owned);
        let number = |name: &str| args.get(name)?.as_i64();
        match event.name.as_str() {
            "v1.ItemAdded" => {
                let row = (number("owner")?, number("rank")?);
                self.items.insert(text("id")?, row).is_none().then_some(())
            }
            "v1.ItemMoved" => {
                if let Some((_, rank)) = self.items.get_mut(&text("id")?) {
                    *rank = number("rank")?;
                }
                Some(())
            }
            "v1.ItemRemoved" => {
                self.items.remove(&text("id")?);
                Some(())
            }
            "v1.TallyBumped" => self.bump(number("tally")?, number("by")?).map(drop),
            "v1.TallySpent" => {
                let left = self.bump(number("tally")?, -number("amount")?)?;
                (left >= 0).then_some(())
            }
            "v2.ItemTagged" => {
                if let Some(tags) = &mut self.tags {
                    tags.insert(text("item")?, number("tag")?);
                }
                Some(())
            }
            name => self.bookings.apply(name, &args),
        }
    }

    fn bump(&mut self, tally: i64, by: i64) -> Option<i64> {
        let bumped = self.tallies.get(&tally).map_or(by, |n| (n * 3) % 1_000_003 + by);
        self.tallies.insert(tally, bumped);
        Some(bumped)
    }
}

fn is_tag(event: &SyncEvent) -> bool {
    event.name == "v2.ItemTagged"
}
