//! Undo: what undoes an event of an item, and what must be true once it is undone.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use livestore::prelude::*;
use serde_json::Value;

use crate::app::{Happening, Item, Key, key};

/// Each event that undoes another has a mark this much higher.
const UNDONE: u64 = 1 << 40;

impl Undo for Happening {
    type Events = Option<Self>;

    fn undo(&self, before: &Reader<'_>) -> Result<Option<Self>, QueryError> {
        let (Self::Added { mark, id, .. }
        | Self::Moved { mark, id, .. }
        | Self::Removed { mark, id }) = self
        else {
            return Ok(None);
        };
        // Those without a mark of their own look alike.
        let (mark, id) = (if *mark == 0 { 0 } else { mark + UNDONE }, id.clone());
        let was = before.query(Item::get(&id))?;
        Ok(match (self, was) {
            (Self::Added { .. }, _) => Some(Self::Removed { mark, id }),
            (Self::Moved { .. }, Some(Item { rank, .. })) => Some(Self::Moved { mark, id, rank }),
            (Self::Removed { .. }, Some(Item { owner, rank, .. })) => {
                Some(Self::Added { mark, id, owner, rank })
            }
            _ => None,
        })
    }
}

thread_local! {
    static APPLIED: RefCell<Option<Vec<Key>>> = const { RefCell::new(None) };
}

/// Notes an event that is about to be applied, if [`applied`] runs.
pub(crate) fn note(key: Key) {
    APPLIED.with_borrow_mut(|applied| applied.iter_mut().for_each(|all| all.push(key.clone())));
}

/// Runs this; returns the events that were applied meanwhile, too: a disk that fails may not say which events
/// were committed.
pub fn applied<R>(run: impl FnOnce() -> R) -> (R, Vec<Key>) {
    APPLIED.set(Some(Vec::new()));
    let result = run();
    (result, APPLIED.take().unwrap_or_default())
}

/// Owner and rank by id.
pub type Items = BTreeMap<String, (i64, i64)>;

/// Checks that undoing what was committed has restored what was there before, and overwritten nothing that has
/// changed since. `events` and `quarantined` are those of the log before; `inverse` are the events that were
/// committed then, and `items` is what there is now.
pub fn check(
    events: &[EncodedEvent],
    quarantined: &[SeqNum],
    inverse: &[Key],
    items: &Items,
) -> Result<(), String> {
    if inverse.iter().any(|(_, mark)| *mark < UNDONE) {
        return Ok(());
    }
    let undone: BTreeSet<u64> = inverse.iter().map(|(_, mark)| mark - UNDONE).collect();
    let quarantined: BTreeSet<_> = quarantined.iter().map(|it| (it.global, it.client)).collect();
    let mut rows = Items::new();
    let mut touched: BTreeMap<String, Touched> = BTreeMap::new();
    for event in events {
        let is_applied = !quarantined.contains(&(event.seq.global, event.seq.client));
        let Some(change) = ItemChange::of(event).filter(|_| is_applied) else { continue };
        let before = rows.get(&change.id).copied();
        change.apply(&mut rows);
        let (_, mark) = key(&event.name, &event.args);
        if undone.contains(&mark) {
            let now = rows.get(&change.id).copied();
            let touched =
                touched.entry(change.id).or_insert(Touched { before, ..Touched::default() });
            touched.behind = now;
            touched.is_whole_row |= event.name != "v1.ItemMoved";
        }
    }
    touched.iter().try_for_each(|(id, touched)| {
        touched.check(rows.get(id).copied(), items.get(id).copied()).map_err(|what| {
            format!("undoing {undone:?} of {id}, which is {:?} now, {what}", items.get(id))
        })
    })
}

/// An item that a step touches: owner and rank before it and behind it.
#[derive(Debug, Default)]
struct Touched {
    before: Option<(i64, i64)>,
    behind: Option<(i64, i64)>,
    /// Undoing it writes or removes the row, and does not just set its rank.
    is_whole_row: bool,
}

impl Touched {
    fn check(
        &self,
        before_undo: Option<(i64, i64)>,
        now: Option<(i64, i64)>,
    ) -> Result<(), String> {
        let Self { before, behind, is_whole_row } = *self;
        let part = |row: Option<(i64, i64)>| {
            row.map(|(owner, rank)| (is_whole_row.then_some(owner), rank))
        };
        if part(behind) != part(before_undo) {
            return Err(format!(
                "has overwritten {before_undo:?}; the commit had made it {behind:?}"
            ));
        }
        let is_restored = match (before, now) {
            // Somebody else has added it anew.
            (Some((_, before)), Some((_, now))) if !is_whole_row => before == now,
            (before, now) => before == now,
        };
        if is_restored { Ok(()) } else { Err(format!("has not restored {before:?}")) }
    }
}

/// What an event does to an item.
struct ItemChange {
    id: String,
    kind: Kind,
}

enum Kind {
    Add(i64, i64),
    Move(i64),
    Remove,
}

impl ItemChange {
    fn of(event: &EncodedEvent) -> Option<Self> {
        if !event.name.starts_with("v1.Item") {
            return None;
        }
        let args: Value = serde_json::from_str(&event.args).ok()?;
        let number = |name: &str| args.get(name)?.as_i64();
        let kind = match &*event.name {
            "v1.ItemAdded" => Kind::Add(number("owner")?, number("rank")?),
            "v1.ItemMoved" => Kind::Move(number("rank")?),
            "v1.ItemRemoved" => Kind::Remove,
            _ => return None,
        };
        Some(Self { id: args.get("id")?.as_str()?.to_owned(), kind })
    }

    fn apply(&self, rows: &mut Items) {
        match self.kind {
            Kind::Add(owner, rank) => _ = rows.insert(self.id.clone(), (owner, rank)),
            Kind::Move(to) => rows.get_mut(&self.id).into_iter().for_each(|(_, rank)| *rank = to),
            Kind::Remove => _ = rows.remove(&self.id),
        }
    }
}
