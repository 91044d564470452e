//! Items: a long list that people sort, and a client document of the screen that shows it. For tests of what
//! draws lists.

use livestore::prelude::*;

/// An item of a list.
#[table]
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Item {
    /// The key.
    #[column(primary_key)]
    pub id: i64,
    /// The text.
    pub title: String,
    /// The items are sorted by this.
    #[column(index)]
    pub place: i64,
    /// Whether it is done.
    #[column(default = false)]
    pub done: bool,
}

/// The things that can happen to items.
#[derive(Event, Debug, Clone, PartialEq)]
pub enum ItemEvent {
    /// Items from 1 to `last`, each in its own place: one event, so that a long list is made quickly.
    #[event(name = "v1.ItemsFilled")]
    Filled {
        /// The id of the last one.
        last: i64,
    },
    /// A new item.
    #[event(name = "v1.ItemAdded")]
    Added {
        /// Its key.
        id: i64,
        /// Its text.
        title: String,
        /// Its place.
        place: i64,
    },
    /// Another text.
    #[event(name = "v1.ItemRenamed")]
    Renamed {
        /// The item's key.
        id: i64,
        /// Its text from now on.
        title: String,
    },
    /// Another place.
    #[event(name = "v1.ItemMoved")]
    Moved {
        /// The item's key.
        id: i64,
        /// Its place from now on.
        place: i64,
    },
    /// An item is done.
    #[event(name = "v1.ItemDone")]
    Done {
        /// The item's key.
        id: i64,
    },
    /// An item is gone.
    #[event(name = "v1.ItemRemoved")]
    Removed {
        /// The item's key.
        id: i64,
    },
}

impl Materialize for ItemEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self {
            Self::Filled { last } => {
                let sql = "WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < ?) \
                           INSERT INTO item (id, title, place, done) SELECT id, 'item ' || id, id, 0 FROM n";
                state.sql(sql, (*last,)).map(|_| ())
            }
            Self::Added { id, title, place } => {
                state.insert(&Item { id: *id, title: title.clone(), place: *place, done: false })
            }
            Self::Renamed { id, title } => {
                state.run(Item::update().set(Item::TITLE, title).filter(Item::ID.eq(*id)))
            }
            Self::Moved { id, place } => {
                state.run(Item::update().set(Item::PLACE, *place).filter(Item::ID.eq(*id)))
            }
            Self::Done { id } => {
                state.run(Item::update().set(Item::DONE, true).filter(Item::ID.eq(*id)))
            }
            Self::Removed { id } => state.run(Item::delete().filter(Item::ID.eq(*id))),
        }
    }
}

/// The state of a screen.
#[client_document]
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Screen {
    /// The text of an item that is being typed.
    pub draft: String,
    /// Whether only what is not done is shown.
    pub only_open: bool,
}

livestore::schema! {
    /// Items, and the screen that shows them.
    pub App { tables: [Item], documents: [Screen], events: [ItemEvent] }
}

/// Returns the event that adds an item at the place with its own number.
pub fn added(id: i64) -> ItemEvent {
    ItemEvent::Added { id, title: format!("item {id}"), place: id }
}
