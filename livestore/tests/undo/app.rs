//! A board of cards.

use std::cell::Cell;

use livestore::prelude::*;

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    #[column(primary_key)]
    pub id: String,
    pub title: String,
    pub is_done: bool,
}

#[derive(Event, Debug, Clone, PartialEq)]
pub enum CardEvent {
    /// Cannot be applied if there is a card with this id.
    #[event(name = "v1.CardAdded")]
    Added { id: String, title: String, is_done: bool },
    #[event(name = "v1.CardTitled")]
    Titled { id: String, title: String },
    #[event(name = "v1.CardMarked")]
    Marked { id: String, is_done: bool },
    #[event(name = "v1.CardRemoved")]
    Removed { id: String },
    #[event(name = "v1.DoneCardsRemoved")]
    DoneRemoved,
}

impl Materialize for CardEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self.clone() {
            Self::Added { id, title, is_done } => state.insert(&Card { id, title, is_done }),
            Self::Titled { id, title } => {
                state.run(Card::update().set(Card::TITLE, title).filter(Card::ID.eq(id)))
            }
            Self::Marked { id, is_done } => {
                state.run(Card::update().set(Card::IS_DONE, is_done).filter(Card::ID.eq(id)))
            }
            Self::Removed { id } => state.run(Card::delete().filter(Card::ID.eq(id))),
            Self::DoneRemoved => state.run(Card::delete().filter(Card::IS_DONE.eq(true))),
        }
    }
}

thread_local! {
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

/// Runs this; returns how often an event of a card was asked on this thread meanwhile what undoes it.
pub fn asked(run: impl FnOnce()) -> u64 {
    ASKED.set(0);
    run();
    ASKED.get()
}

impl Undo for CardEvent {
    type Events = Vec<Self>;

    fn undo(&self, before: &Reader<'_>) -> Result<Vec<Self>, QueryError> {
        ASKED.set(ASKED.get() + 1);
        let card = |id: &str| before.query(Card::get(id));
        Ok(match self {
            Self::Added { id, .. } => vec![Self::Removed { id: id.clone() }],
            Self::Titled { id, .. } => card(id)?.into_iter().map(retitle).collect(),
            Self::Marked { id, is_done } => card(id)?
                .filter(|card| card.is_done != *is_done)
                .map(|card| Self::Marked { id: card.id, is_done: card.is_done })
                .into_iter()
                .collect(),
            Self::Removed { id } => card(id)?.into_iter().map(add).collect(),
            Self::DoneRemoved => {
                let removed = Card::filter(Card::IS_DONE.eq(true)).order_by(Card::ID.asc());
                before.query(removed)?.into_iter().map(add).collect()
            }
        })
    }
}

fn retitle(card: Card) -> CardEvent {
    CardEvent::Titled { id: card.id, title: card.title }
}

fn add(card: Card) -> CardEvent {
    CardEvent::Added { id: card.id, title: card.title, is_done: card.is_done }
}

/// Events that cannot be undone.
#[derive(Event, Debug, Clone, PartialEq)]
#[event(name = "v1.Mailed")]
pub struct Mailed {
    pub text: String,
}

impl Materialize for Mailed {
    fn materialize(&self, _: &mut Writer<'_>) -> Result<(), MaterializeError> {
        Ok(())
    }
}

/// Changes a title, and cannot be undone.
#[derive(Event, Debug, Clone, PartialEq)]
#[event(name = "v1.Forced")]
pub struct Forced {
    pub id: String,
    pub title: String,
}

impl Materialize for Forced {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        let Self { id, title } = self;
        state.run(Card::update().set(Card::TITLE, title).filter(Card::ID.eq(id)))
    }
}

#[client_document]
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Ui {
    pub filter: String,
}

/// Marks a card as done, which must be there and not be done.
#[derive(Command, Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finish {
    pub id: String,
}

/// Adds a card with the number behind the highest.
#[derive(Command, Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AddNext;

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotFinished {
    #[error("there is nothing to finish")]
    Nothing,
    #[error(transparent)]
    Query(#[from] QueryError),
}

impl Execute for Finish {
    type Events = CardEvent;
    type Output = ();
    type Error = NotFinished;

    fn execute(
        &self,
        state: &Reader<'_>,
        _: &ExecuteContext,
    ) -> Result<(CardEvent, ()), NotFinished> {
        let card = state.query(Card::get(&self.id))?.filter(|card| !card.is_done);
        let id = card.ok_or(NotFinished::Nothing)?.id;
        Ok((CardEvent::Marked { id, is_done: true }, ()))
    }
}

impl Execute for AddNext {
    type Events = CardEvent;
    type Output = String;
    type Error = QueryError;

    fn execute(
        &self,
        state: &Reader<'_>,
        _: &ExecuteContext,
    ) -> Result<(CardEvent, String), QueryError> {
        let id = state.query(Card::all().count())?.to_string();
        let added = CardEvent::Added { id: id.clone(), title: "next".into(), is_done: false };
        Ok((added, id))
    }
}

livestore::schema! {
    pub Board {
        tables: [Card],
        documents: [Ui],
        events: [CardEvent, Mailed, Forced],
        commands: [Finish, AddNext],
        undo: [CardEvent],
    }
}

pub fn added(id: &str) -> CardEvent {
    CardEvent::Added { id: id.into(), title: id.to_uppercase(), is_done: false }
}

pub fn titled(id: &str, title: &str) -> CardEvent {
    CardEvent::Titled { id: id.into(), title: title.into() }
}

pub fn marked(id: &str, is_done: bool) -> CardEvent {
    CardEvent::Marked { id: id.into(), is_done }
}

pub fn removed(id: &str) -> CardEvent {
    CardEvent::Removed { id: id.into() }
}

/// All cards, as `a A` or, done, `a A!`.
pub fn cards(store: &Store<Board>) -> Vec<String> {
    let cards = store.query(Card::all().order_by(Card::ID.asc())).unwrap();
    let text =
        |Card { id, title, is_done }| format!("{id} {title}{}", if is_done { "!" } else { "" });
    cards.into_iter().map(text).collect()
}

pub fn names(store: &Store<Board>) -> Vec<String> {
    store.events().into_iter().map(|event| event.unwrap().name.into_owned()).collect()
}

pub fn open() -> Store<Board> {
    Store::builder("board").open().unwrap()
}

pub fn can(store: &Store<Board>) -> (bool, bool) {
    (*store.can_undo().unwrap().get(), *store.can_redo().unwrap().get())
}
