//! A client-side data layer with a sync engine, for apps that answer at once, work offline, sync
//! between devices, and can show how every piece of data came to be.
//!
//! An app declares three things as plain Rust types:
//!
//! - **Events**: the things that can happen. An event is a fact with a wire name and args, and both
//!   are forever.
//! - **Tables**: the shape of the state, one struct per table.
//! - **Materializers**: the changes that each event makes to the state.
//!
//! Macros turn them at compile time into event codecs, SQL, a typed query builder and dispatch. A
//! [`Store`] does the rest: it persists the *eventlog*, derives the *state* from it, and answers
//! queries in microseconds.
//!
//! ```
//! use livestore::prelude::*;
//!
//! #[table]                                    // a table: SQL, a row codec, typed columns
//! #[derive(Debug, Clone, PartialEq)]
//! pub struct Todo {
//!     #[column(primary_key)]
//!     pub id: String,
//!     pub text: String,
//!     #[column(default = false)]
//!     pub completed: bool,
//!     #[column(index)]
//!     pub created_at: Timestamp,
//!     pub deleted_at: Option<Timestamp>,
//! }
//!
//! #[derive(Event, Debug, Clone)]              // events: one variant, one wire name
//! pub enum TodoEvent {
//!     #[event(name = "v1.TodoCreated")]
//!     Created { id: String, text: String, created_at: Timestamp },
//!     #[event(name = "v1.TodoCompleted")]
//!     Completed { id: String },
//! }
//!
//! impl Materialize for TodoEvent {            // a forgotten event does not compile
//!     fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
//!         match self {
//!             Self::Created { id, text, created_at } => state.insert(&Todo {
//!                 id: id.clone(),
//!                 text: text.clone(),
//!                 completed: false,
//!                 created_at: *created_at,
//!                 deleted_at: None,
//!             }),
//!             Self::Completed { id } => {
//!                 state.run(Todo::update().set(Todo::COMPLETED, true).filter(Todo::ID.eq(id)))
//!             }
//!         }
//!     }
//! }
//!
//! livestore::schema! { pub App { tables: [Todo], events: [TodoEvent] } }
//!
//! let store = Store::<App>::builder("todos").open()?;    // in memory, or on disk: `.directory("./data")`
//! store.commit(TodoEvent::Created { id: new_id(), text: "Buy milk".into(), created_at: now() })?;
//! let open = store.query(Todo::filter(Todo::COMPLETED.eq(false)).order_by(Todo::CREATED_AT.desc()))?;
//! assert_eq!(open[0].text, "Buy milk");
//! # Ok::<(), livestore::Error>(())
//! ```
//!
//! # The model
//!
//! **The eventlog is the only truth.** A [commit](Store::commit) is the one way to change anything:
//! its events are materialized and logged as one unit, or not at all. State is a pure function of
//! the log, so it may be thrown away at any time: [`open`](store::Builder::open) makes it again,
//! from a snapshot and the events after it, or from all of them. That is also how a table changes
//! its shape: change the struct, and the next open rebuilds the state.
//!
//! **Materializers are pure.** They get the event and the state, nothing else: no clock, no
//! randomness, no I/O, in SQL either. Put what an event needs (an [id](new_id), the
//! [time](now)) into the event; one whose materializer calls [`now`], [`new_id`] or a store is
//! [refused](table::MaterializeError::Impure). Raise [`Materialize::VERSION`](schema::Materialize::VERSION) when
//! you change what a materializer does, so that state the old one made is rebuilt.
//!
//! **Nothing is lost.** An event that cannot be applied, because its materializer fails or because
//! a newer version of the app wrote it, is [kept, listed](Store::quarantined) and tried again once
//! the schema changes. The rest goes on.
//!
//! **Queries are values.** [`Table::filter`](table::Table::filter) and its siblings build a
//! [`Select`](table::Select), typed so that a wrong value, a column of another table or a missing
//! join does not compile. [`sql!`] takes SQL for every shape the builder lacks; SQLite checks it
//! while compiling, and its rows are typed. [`raw`](table::raw()) takes SQL that is made at run time.
//!
//! **Live queries follow the store.** [`Store::live`] takes any query and gives a value that
//! equals a fresh query's result after every commit; subscribe to it, or read its
//! [row diffs](live::LiveQuery::diffs). A commit costs what it changes, not how many queries are live.
//!
//! **Stores sync.** With a backend ([`Builder::sync`](store::Builder::sync)), commits stay instant
//! and work offline. The backend puts all clients' events in one order; when others' events come
//! first, pending ones are rebased: applied again after them. `livestore-sync` has the backends,
//! and `livestore-server` is one to host yourself.
//!
//! **Commands decide again.** An event is right or wrong whatever came before it. Where that matters, for the last
//! seat or a balance, [`execute`](Store::execute) a [command](trait@schema::Execute): it reads the state and decides on
//! the events; when others' events come before them, it decides again.
//!
//! **Client documents** are for UI state: [`#[client_document]`](client_document) structs that are
//! set field by field and never leave their client.
//!
//! **The past can be read.** [`events`](Store::events) reads the log and subscribes to what comes;
//! [`state_at`](Store::state_at) shows the state after any event; [`fork`](Store::fork) branches off
//! from there.
//!
//! **State can be elsewhere, too.** A [`feed`](Store::feed) brings a [`Target`](store::Target), such as a search
//! index, up to date row by row, each event once; `livestore-files` has rows as files.
//!
//! **Events are forever, and the compiler enforces it.** `livestore.lock`, written by
//! `LIVESTORE_SCHEMA=accept cargo check` and committed, records every event: a change that
//! eventlogs cannot follow does not compile, and the error says what to do. An event that has to
//! change gets a new name and an [upcaster](derive@Event) for the old one. A log that the schema
//! cannot read is [refused](store::OpenError::Incompatible) before anything is touched.
//!
//! # Where to look
//!
//! | module | contents |
//! |---|---|
//! | [`event`] | events, their args, [sequence numbers](SeqNum) |
//! | [`table`](mod@table) | tables, columns, conditions, queries, the materializers' [`Writer`](table::Writer) |
//! | [`value`] | values of columns: [`ColumnType`](value::ColumnType), [`Timestamp`], [`Json`](value::Json) |
//! | [`schema`](mod@schema) | [`schema!`], [`Materialize`](schema::Materialize), [client documents](schema::Document) |
//! | [`store`] | [`Store`] and how to [open](store::Builder) one |
//! | [`live`] | live queries, [signals](live::Signal), [computeds](live::Computed), [row diffs](live::Diff) |
//! | [`sync`] | [options](sync::SyncOptions), the [status](sync::SyncStatus), and the trait of a [backend](sync::SyncBackend) |
//! | [`fractional_index`] | order keys, for lists whose order a user decides |
//! | [`eventlog`], [`state`] | [durability](Durability), boot progress, quarantine |
//! | [`replica`] | states of events from elsewhere, as a server has them |
//! | `inspect` | a store's folder as tools see it, which do not know the types; not in a browser |
//!
//! # Features
//!
//! `chrono`, `jiff` and `uuid` make types of those crates column types. With `checked-sql`, on by
//! default, SQLite checks [`sql!`] while compiling; without it no SQLite is compiled for the macros.

extern crate self as livestore;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod ambient;
mod edge;
mod error;
pub mod event;
pub mod eventlog;
pub mod fractional_index;
#[cfg(not(any(simulation, target_family = "wasm")))]
pub mod inspect;
pub mod live;
pub mod prelude;
pub mod replica;
pub mod schema;
mod session;
#[cfg(simulation)]
#[doc(hidden)]
pub mod simulation;
mod sqlite;
pub mod state;
pub mod store;
pub mod sync;
pub mod table;
pub mod value;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../docs/conflicts.md")]
struct Conflicts;

#[cfg(doctest)]
#[doc = include_str!("../../docs/activity.md")]
struct ActivityChapter;

#[cfg(doctest)]
#[doc = include_str!("../../docs/undo.md")]
struct UndoChapter;

pub use ambient::{new_id, now};
pub use error::ErrorChain;
pub use event::SeqNum;
pub use eventlog::Durability;
pub use livestore_macros::{
    ColumnType, Command, Event, Row, Shape, client_document, schema, sql, table,
};
pub use sqlite::{SqliteError, SqliteErrorKind};
pub use store::error::{Error, Result};
pub use store::{Store, tools};
pub use value::Timestamp;
