//! Targets: copies of the items outside of their store, which feeds bring up to date.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;

use livestore::prelude::*;
use livestore::store::{Cursor, Feed, FeedError, RowChange, Target};

use crate::app::{App, Item};
use crate::client::text;
use crate::undo::Items;

/// How a target is brought up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feeding {
    /// By the feed that it has, if it has one.
    Update,
    /// By a new feed, as when what runs it was ended and is there again.
    Restart,
    /// Not at all: it cannot be written.
    Fail,
}

/// The targets of one process of a client. They outlive it.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    /// Has the items as the store has them.
    all: Copy,
    /// Has those that follow from confirmed events.
    confirmed: Copy,
}

/// A copy of the items, in a database that writes rows and cursor in one transaction.
#[derive(Debug, Clone, Default)]
struct Copy(Rc<RefCell<Database>>);

#[derive(Debug, Default)]
struct Database {
    now: Written,
    /// What it was before the last transaction.
    before: Written,
    /// The number of transactions.
    transactions: u64,
    fails: bool,
    /// What it got that it must not get.
    wrong: Option<String>,
}

#[derive(Debug, Clone, Default)]
struct Written {
    items: Items,
    cursor: Option<Cursor>,
}

/// It cannot be written.
#[derive(Debug)]
pub struct Unwritable;

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the target cannot be written")
    }
}

impl std::error::Error for Unwritable {}

impl Target for Copy {
    type Row = Item;
    type Error = Unwritable;

    fn cursor(&mut self) -> Result<Option<Cursor>, Unwritable> {
        Ok(self.0.borrow().now.cursor.clone())
    }

    fn replace(&mut self, rows: Vec<Item>, cursor: &Cursor) -> Result<(), Unwritable> {
        let items = rows.into_iter().map(|it| (it.id, (it.owner, it.rank))).collect();
        self.0.borrow_mut().write(items, cursor)
    }

    fn apply(&mut self, changes: Vec<RowChange<Item>>, cursor: &Cursor) -> Result<(), Unwritable> {
        let mut database = self.0.borrow_mut();
        let mut items = database.now.items.clone();
        if let Err(what) = apply(&mut items, &changes) {
            database.wrong = Some(format!("{what}, on the way to {cursor}"));
        }
        database.write(items, cursor)
    }
}

/// Applies changes, each of which must be of what is there.
fn apply(items: &mut Items, changes: &[RowChange<Item>]) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for change in changes {
        if let Some(Item { id, owner, rank }) = change.before() {
            let was = items.remove(id);
            if was != Some((*owner, *rank)) {
                return Err(format!("{change:?} of an item that is {was:?}"));
            }
        }
        if let Some(Item { id, owner, rank }) = change.after()
            && let Some(was) = items.insert(id.clone(), (*owner, *rank))
        {
            return Err(format!("{change:?} of an item that is {was:?}"));
        }
        let id = change.after().or(change.before()).map(|item| &item.id);
        if !seen.insert(id) {
            return Err(format!("{change:?} changes an item again"));
        }
    }
    Ok(())
}

impl Database {
    fn write(&mut self, items: Items, cursor: &Cursor) -> Result<(), Unwritable> {
        if self.fails {
            return Err(Unwritable);
        }
        // As from a file.
        let cursor = Some(Cursor::from_text(cursor.as_str()));
        self.before = std::mem::replace(&mut self.now, Written { items, cursor });
        self.transactions += 1;
        Ok(())
    }
}

impl Copy {
    fn check(&self, items: &Items) -> Result<(), String> {
        let database = self.0.borrow();
        if let Some(what) = &database.wrong {
            return Err(what.clone());
        }
        if database.now.items == *items {
            return Ok(());
        }
        Err(format!("it has {:?}, and the store {items:?}", database.now))
    }
}

impl Targets {
    /// Whether they were ever written.
    pub fn are_used(&self) -> bool {
        self.transactions() > 0
    }

    /// The number of times that they were written.
    pub fn transactions(&self) -> u64 {
        self.each().iter().map(|copy| copy.0.borrow().transactions).sum()
    }

    /// Their machine loses power: what was written last may be gone.
    pub fn lose_power(&self, seed: u64) {
        for (n, copy) in self.each().into_iter().enumerate() {
            if seed >> n & 1 == 1 {
                let mut database = copy.0.borrow_mut();
                database.now = database.before.clone();
            }
        }
    }

    /// Compares them with the items, of which some may not be confirmed.
    pub fn check(&self, items: &Items, are_confirmed: bool) -> Result<(), String> {
        self.all.check(items).map_err(|what| format!("the target of all items: {what}"))?;
        if are_confirmed {
            let checked = self.confirmed.check(items);
            checked.map_err(|what| format!("the target of confirmed items: {what}"))?;
        }
        Ok(())
    }

    fn each(&self) -> [&Copy; 2] {
        [&self.all, &self.confirmed]
    }

    fn fail(&self, fails: bool) {
        self.each().iter().for_each(|copy| copy.0.borrow_mut().fails = fails);
    }
}

/// The feeds of a process.
pub struct Feeds<S> {
    all: Feed<S, Copy>,
    confirmed: Feed<S, Copy>,
    targets: Targets,
}

impl<S: App> Feeds<S> {
    /// The feeds of these targets.
    pub fn of(store: &Store<S>, targets: &Targets) -> Result<Self, String> {
        let all = store.feed(targets.all.clone());
        let confirmed = store.confirmed_feed(targets.confirmed.clone());
        Ok(Self {
            all: all.map_err(|error| text(&error))?,
            confirmed: confirmed.map_err(|error| text(&error))?,
            targets: targets.clone(),
        })
    }

    /// Brings the targets up to date. Returns whether they are.
    pub fn update(&mut self, fails: bool) -> Result<bool, String> {
        self.targets.fail(fails);
        let mut are_written = true;
        for feed in [&mut self.all, &mut self.confirmed] {
            match feed.update() {
                Ok(_) => {}
                Err(FeedError::Target(Unwritable)) if fails => are_written = false,
                Err(error) => return Err(text(&error)),
            }
        }
        Ok(are_written)
    }
}
