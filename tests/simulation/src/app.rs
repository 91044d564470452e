//! The app whose clients are simulated, in two versions.
//!
//! It is made so that order shows: rows with keys that collide, a tally that is multiplied before it
//! is added to, in SQL, and a materializer that refuses. Every event has a *mark*, by which the
//! ledgers know it again.

use livestore::live::{Reactive, computed};
use livestore::prelude::*;
use livestore::schema::{HasDocument, HasTable};
use livestore::store::Committed;
use livestore::sync::MAX_EVENTS;

use crate::bookings::{Account, Booking, Request, Seat, Unmet};
use crate::disk::Dice;
use crate::undo;

/// A thing that somebody owns.
#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its key.
    #[column(primary_key)]
    pub id: String,
    /// Whose it is.
    #[column(index)]
    pub owner: i64,
    /// Its place among others.
    pub rank: i64,
}

/// A number that depends on the order of what was done to it.
#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    /// Its key.
    #[column(primary_key)]
    pub id: i64,
    /// The number.
    pub n: i64,
}

/// What this client looked at.
#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// The item.
    #[column(primary_key)]
    pub item: String,
    /// How often.
    pub times: i64,
}

/// What the second version knows of an item besides.
#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Tag {
    /// The item.
    #[column(primary_key)]
    pub item: String,
    /// Its tag.
    pub tag: i64,
}

/// What happens, in both versions.
#[expect(missing_docs, reason = "the names say it")]
#[derive(Event, Debug, Clone)]
pub enum Happening {
    #[event(name = "v1.ItemAdded")]
    Added { mark: u64, id: String, owner: i64, rank: i64 },
    #[event(name = "v1.ItemMoved")]
    Moved { mark: u64, id: String, rank: i64 },
    #[event(name = "v1.ItemRemoved")]
    Removed { mark: u64, id: String },
    #[event(name = "v1.TallyBumped")]
    Bumped { mark: u64, tally: i64, by: i64 },
    #[event(name = "v1.TallySpent")]
    Spent { mark: u64, tally: i64, amount: i64 },
    #[event(name = "v1.ItemLooked", client_only)]
    Looked { mark: u64, item: String },
    #[event(name = "v1.ItemOpened", client_only)]
    Opened { mark: u64, item: String },
}

impl Materialize for Happening {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        undo::note(self.key());
        match self {
            Self::Added { id, owner, rank, .. } => {
                state.insert(&Item { id: id.clone(), owner: *owner, rank: *rank })
            }
            Self::Moved { id, rank, .. } => {
                state.run(Item::update().set(Item::RANK, *rank).filter(Item::ID.eq(id)))
            }
            Self::Removed { id, .. } => state.run(Item::delete().filter(Item::ID.eq(id))),
            Self::Bumped { tally, by, .. } => bump(state, *tally, *by),
            Self::Spent { tally, amount, .. } => {
                bump(state, *tally, -*amount)?;
                let left = state.query(Tally::get(*tally))?.map_or(0, |tally| tally.n);
                // It has written by then: a refusal has to take that back.
                match left {
                    ..0 => Err(MaterializeError::custom("more than there is")),
                    _ => Ok(()),
                }
            }
            Self::Looked { item, .. } => look(state, item),
            Self::Opened { item, .. } => {
                look(state, item)?;
                match state.query(Item::get(item))? {
                    Some(_) => Ok(()),
                    None => Err(MaterializeError::custom("there is no such item")),
                }
            }
        }
    }
}

fn look(state: &mut Writer<'_>, item: &str) -> Result<(), MaterializeError> {
    let sql = "INSERT INTO look (item, times) VALUES (?, 1) \
               ON CONFLICT (item) DO UPDATE SET times = times + 1";
    state.sql(sql, (item,)).map(|_| ())
}

fn bump(state: &mut Writer<'_>, tally: i64, by: i64) -> Result<(), MaterializeError> {
    let sql = "INSERT INTO tally (id, n) VALUES (?, ?) \
               ON CONFLICT (id) DO UPDATE SET n = (n * 3) % 1000003 + excluded.n";
    state.sql(sql, (tally, by)).map(|_| ())
}

/// What happens in the second version only.
#[derive(Event, Debug, Clone)]
#[event(name = "v2.ItemTagged")]
pub struct Tagged {
    /// The mark.
    pub mark: u64,
    /// The item.
    pub item: String,
    /// The tag.
    pub tag: i64,
}

impl Materialize for Tagged {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        state.upsert(&Tag { item: self.item.clone(), tag: self.tag })
    }
}

/// What somebody types.
#[client_document]
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Draft {
    /// The mark of the event that set it.
    pub mark: u64,
}

livestore::schema! {
    /// As it was released first.
    pub V1 {
        tables: [Item, Tally, Look, Seat, Account],
        documents: [Draft],
        events: [Happening, Booking],
        commands: [Request],
        undo: [Happening],
    }
}
livestore::schema! {
    /// After the upgrade.
    pub V2 {
        tables: [Item, Tally, Look, Tag, Seat, Account],
        documents: [Draft],
        events: [Happening, Tagged, Booking],
        commands: [Request],
        undo: [Happening],
    }
}

/// What a client does.
#[derive(Clone)]
pub enum Deed {
    /// Commits these as one.
    Happen(Vec<Happening>),
    /// Commits these, as many at a time as a backend takes.
    Flood(Vec<Happening>),
    /// Types.
    Type(u64),
    /// Tags, and commits these with it; nothing in the first version.
    Tag(Tagged, Vec<Happening>),
}

/// Many events are told by their number.
impl std::fmt::Debug for Deed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Happen(all) if all.len() > 8 => write!(f, "Happen({} times Bumped)", all.len()),
            Self::Happen(all) => write!(f, "Happen({all:?})"),
            Self::Flood(all) => write!(f, "Flood({} times Bumped)", all.len()),
            Self::Type(mark) => write!(f, "Type({mark})"),
            Self::Tag(tagged, others) => write!(f, "Tag({tagged:?}, {others:?})"),
        }
    }
}

/// A name and a mark: an event as the ledgers know it.
pub type Key = (String, u64);

impl Deed {
    /// Any deed. `marks` gives each event a mark of its own; now and then it is left out, so that
    /// events of several clients look alike.
    pub fn draw(dice: &mut Dice, marks: &mut u64) -> Self {
        match dice.below(40) {
            0 | 1 => Self::Type(mark(dice, marks)),
            2..=5 => {
                let tagged = Tagged { mark: mark(dice, marks), item: item(dice), tag: small(dice) };
                let others = dice.below(3);
                Self::Tag(tagged, several(dice, marks, others))
            }
            6..=18 => Self::several(dice, marks),
            // One in two is more than a backend takes.
            19 => {
                let most = MAX_EVENTS as u64;
                let count = most - 20 + dice.below(40);
                Self::Happen(bumps(dice, marks, count))
            }
            _ => Self::Happen(several(dice, marks, 1)),
        }
    }

    /// Several events as one commit.
    pub fn several(dice: &mut Dice, marks: &mut u64) -> Self {
        let count = 2 + dice.below(5);
        Self::Happen(several(dice, marks, count))
    }

    /// So many events that nothing refuses.
    pub fn flood(dice: &mut Dice, marks: &mut u64, events: u64) -> Self {
        Self::Flood(bumps(dice, marks, events))
    }

    /// What is committed at once: nearly always all of it.
    pub fn commits(&self) -> Vec<Self> {
        match self {
            Self::Flood(all) => {
                all.chunks(MAX_EVENTS).map(|some| Self::Happen(some.to_vec())).collect()
            }
            deed => vec![deed.clone()],
        }
    }

    /// Whether it has more synced events than a backend takes at once.
    pub fn is_too_large(&self) -> bool {
        self.keys().iter().filter(|key| !is_client_only(&key.0)).count() > MAX_EVENTS
    }

    /// Whether a backend with a rule refuses it for good.
    pub fn is_refused(&self) -> bool {
        self.keys().iter().any(is_refused)
    }

    /// The events, in order.
    pub fn keys(&self) -> Vec<Key> {
        match self {
            Self::Happen(happenings) | Self::Flood(happenings) => {
                happenings.iter().map(Happening::key).collect()
            }
            Self::Type(mark) => vec![("DraftSet".to_owned(), *mark)],
            Self::Tag(tagged, others) => {
                let tag = ("v2.ItemTagged".to_owned(), tagged.mark);
                std::iter::once(tag).chain(others.iter().map(Happening::key)).collect()
            }
        }
    }
}

/// Whether events of this name never leave their client.
pub fn is_client_only(name: &str) -> bool {
    matches!(name, "v1.ItemLooked" | "v1.ItemOpened" | "DraftSet")
}

/// Whether a backend with a rule refuses this event for good, and its commit with it.
pub fn is_refused((name, mark): &Key) -> bool {
    matches!(&**name, "v1.ItemAdded" | "v1.ItemMoved" | "v1.SeatTaken") && mark % 5 == 1
}

impl Happening {
    pub(crate) fn key(&self) -> Key {
        let (Self::Added { mark, .. }
        | Self::Moved { mark, .. }
        | Self::Removed { mark, .. }
        | Self::Bumped { mark, .. }
        | Self::Spent { mark, .. }
        | Self::Looked { mark, .. }
        | Self::Opened { mark, .. }) = *self;
        (self.def().name().to_owned(), mark)
    }
}

use livestore::event::Event as _;

/// The key of an event as a log has it.
pub fn key(name: &str, args: &str) -> Key {
    let digits = args.split_once(r#""mark":"#).map_or("", |(_, rest)| rest);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    (name.to_owned(), digits.get(..end).and_then(|mark| mark.parse().ok()).unwrap_or(0))
}

fn bumps(dice: &mut Dice, marks: &mut u64, count: u64) -> Vec<Happening> {
    let mut bumped = || {
        *marks += 1;
        Happening::Bumped { mark: *marks, tally: small(dice), by: 1 }
    };
    (0..count).map(|_| bumped()).collect()
}

fn several(dice: &mut Dice, marks: &mut u64, count: u64) -> Vec<Happening> {
    (0..count).map(|_| happening(dice, marks)).collect()
}

fn happening(dice: &mut Dice, marks: &mut u64) -> Happening {
    let kind = dice.below(14);
    let mark = mark(dice, marks);
    match kind {
        0..=2 => Happening::Added { mark, id: item(dice), owner: small(dice), rank: rank(dice) },
        3 | 4 => Happening::Moved { mark, id: item(dice), rank: rank(dice) },
        5 => Happening::Removed { mark, id: item(dice) },
        6..=8 => Happening::Bumped { mark, tally: small(dice), by: 1 },
        9 | 10 => Happening::Spent { mark, tally: small(dice), amount: 1 + small(dice) },
        11 | 12 => Happening::Looked { mark, item: item(dice) },
        _ => Happening::Opened { mark, item: item(dice) },
    }
}

fn mark(dice: &mut Dice, marks: &mut u64) -> u64 {
    *marks += 1;
    if dice.below(8) == 0 { 0 } else { *marks }
}

fn item(dice: &mut Dice) -> String {
    format!("item-{}", dice.below(24))
}

fn small(dice: &mut Dice) -> i64 {
    dice.below(3).cast_signed()
}

fn rank(dice: &mut Dice) -> i64 {
    dice.below(100).cast_signed()
}

/// A version of the app.
pub trait App:
    HasTable<Item>
    + HasTable<Tally>
    + HasTable<Look>
    + HasTable<Seat>
    + HasTable<Account>
    + HasDocument<Draft>
    + Sized
    + 'static
{
    /// Does it, if this version can.
    fn tag(
        store: &Store<Self>,
        tagged: Tagged,
        others: Vec<Happening>,
    ) -> Result<Option<Committed>, CommitError>;

    /// Commits what both versions know.
    fn happen(store: &Store<Self>, all: Vec<Happening>) -> Result<Committed, CommitError>;

    /// All tags, if this version knows them.
    fn tags(store: &Store<Self>) -> Result<Option<Vec<Tag>>, QueryError>;

    /// Executes a command.
    fn execute(store: &Store<Self>, request: Request) -> Result<Committed, ExecuteError<Unmet>>;

    /// Sets the draft.
    fn draft(store: &Store<Self>, mark: u64) -> Result<Committed, CommitError>;
}

impl App for V1 {
    fn tag(
        _: &Store<Self>,
        _: Tagged,
        _: Vec<Happening>,
    ) -> Result<Option<Committed>, CommitError> {
        Ok(None)
    }

    fn tags(_: &Store<Self>) -> Result<Option<Vec<Tag>>, QueryError> {
        Ok(None)
    }

    fn happen(store: &Store<Self>, all: Vec<Happening>) -> Result<Committed, CommitError> {
        store.commit(all).map(Into::into)
    }

    fn execute(store: &Store<Self>, request: Request) -> Result<Committed, ExecuteError<Unmet>> {
        store.execute(request).map(|executed| executed.receipt.into())
    }

    fn draft(store: &Store<Self>, mark: u64) -> Result<Committed, CommitError> {
        store.commit(Draft::set().mark(mark)).map(Into::into)
    }
}

impl App for V2 {
    fn tag(
        store: &Store<Self>,
        tagged: Tagged,
        others: Vec<Happening>,
    ) -> Result<Option<Committed>, CommitError> {
        store.commit((tagged, others)).map(|receipt| Some(receipt.into()))
    }

    fn tags(store: &Store<Self>) -> Result<Option<Vec<Tag>>, QueryError> {
        store.query(Tag::all()).map(Some)
    }

    fn happen(store: &Store<Self>, all: Vec<Happening>) -> Result<Committed, CommitError> {
        store.commit(all).map(Into::into)
    }

    fn execute(store: &Store<Self>, request: Request) -> Result<Committed, ExecuteError<Unmet>> {
        store.execute(request).map(|executed| executed.receipt.into())
    }

    fn draft(store: &Store<Self>, mark: u64) -> Result<Committed, CommitError> {
        store.commit(Draft::set().mark(mark)).map(Into::into)
    }
}

/// A live query, and whether it is what a fresh one is.
pub type Watch = Box<dyn Fn() -> Result<(), String>>;

/// Live queries of every shape.
pub fn watch<S: App>(store: &Store<S>) -> Result<Vec<Watch>, QueryError> {
    let by_owner =
        || Item::all().group_by(Item::OWNER).select((Item::OWNER, Item::RANK.sum(), count()));
    let top = || Item::all().order_by(Item::RANK.desc()).order_by(Item::ID.asc()).limit(5);
    let sums = || raw::<(i64, i64)>("SELECT id, n * 2 FROM tally ORDER BY id", ());
    Ok(vec![
        follow(store, "point", || Item::get("item-3"))?,
        follow(store, "top", top)?,
        follow(store, "own", || Item::filter(Item::OWNER.eq(1)).order_by(Item::ID.asc()))?,
        follow(store, "count", || Item::filter(Item::RANK.gt(50)).count())?,
        follow(store, "groups", by_owner)?,
        follow(store, "sql", sums)?,
        follow(store, "looks", || Look::all().order_by(Look::ITEM.asc()))?,
        follow(store, "draft", Draft::get)?,
        follow(store, "free", || Seat::filter(Seat::TAKEN.eq(0)).order_by(Seat::ID.asc()))?,
        follow(store, "balances", || Account::all().select(Account::BALANCE.sum()))?,
        double(store)?,
    ])
}

fn follow<S, Q>(
    store: &Store<S>,
    name: &'static str,
    query: impl Fn() -> Q + 'static,
) -> Result<Watch, QueryError>
where
    S: App,
    Q: livestore::live::Live + QueryIn<S>,
    <Q as QueryIn<S>>::Output: std::fmt::Debug,
    Q::Value: std::fmt::Debug,
{
    let (live, store) = (store.live(query())?, store.clone());
    Ok(Box::new(move || {
        let fresh = store.query(query()).map_err(|error| crate::client::text(&error))?;
        same(name, &live.get(), &fresh)
    }))
}

/// A value that is computed from another.
fn double<S: App>(store: &Store<S>) -> Result<Watch, QueryError> {
    let (items, store) = (store.live(Item::all().count())?, store.clone());
    let twice = computed(move |get| **get.of(&items) * 2);
    Ok(Box::new(move || {
        let fresh =
            store.query(Item::all().count()).map_err(|error| crate::client::text(&error))?;
        same("computed", &*twice.get(), &(fresh * 2))
    }))
}

fn same(
    name: &str,
    live: &impl std::fmt::Debug,
    fresh: &impl std::fmt::Debug,
) -> Result<(), String> {
    let (live, fresh) = (format!("{live:?}"), format!("{fresh:?}"));
    if live == fresh {
        return Ok(());
    }
    Err(format!("the live query `{name}` is {live}, and a fresh one {fresh}"))
}
