//! LiveStore for [iced](https://docs.rs/iced): subscriptions to live queries, and lists of any length.
//!
//! An app's state has the handles of its live queries, and its view reads them: they are up to date right
//! after a commit in `update`. The subscriptions make iced draw the view again when something changes,
//! whichever thread commits.
//!
//! ```
//! use iced::widget::{button, column, text};
//! use iced::{Element, Subscription};
//! use livestore::live::SharedRow;
//! use livestore::prelude::*;
//! use livestore_iced::Live;
//! use livestore_testing::sample::items::{App, Item, ItemEvent, added};
//!
//! struct Counter {
//!     store: Store<App>,
//!     count: LiveQuery<SharedRow<u64>>,
//!     error: Option<String>,
//! }
//!
//! #[derive(Debug, Clone)]
//! enum Message {
//!     Counted(Live<SharedRow<u64>>),
//!     Add,
//! }
//!
//! impl Counter {
//!     fn new(store: Store<App>) -> livestore::Result<Self> {
//!         Ok(Self { count: store.live(Item::all().count())?, store, error: None })
//!     }
//!
//!     fn update(&mut self, message: Message) {
//!         let result = match message {
//!             Message::Counted(count) => count.map(drop).map_err(|error| error.to_string()),
//!             Message::Add => {
//!                 self.store.commit(added(i64::try_from(**self.count.get()).unwrap_or(0) + 1)).map(drop).map_err(|e| e.to_string())
//!             }
//!         };
//!         self.error = result.err();
//!     }
//!
//!     fn subscription(&self) -> Subscription<Message> {
//!         livestore_iced::live(&self.count).map(Message::Counted)
//!     }
//!
//!     fn view(&self) -> Element<'_, Message> {
//!         let count = text(format!("{} items", **self.count.get()));
//!         column![count, button("Add").on_press(Message::Add)].extend(
//!             self.error.as_deref().map(|error| text(error).style(text::danger).into()),
//!         ).into()
//!     }
//! }
//!
//! let mut counter = Counter::new(Store::builder("items").open()?)?;
//! let mut ui = iced_test::simulator(counter.view());
//! ui.click("Add").expect("a button");
//! let messages: Vec<_> = ui.into_messages().collect();
//! messages.into_iter().for_each(|message| counter.update(message));
//! assert!(iced_test::simulator(counter.view()).find("1 items").is_ok());
//! # Ok::<(), livestore::Error>(())
//! ```
//!
//! | to | use |
//! |---|---|
//! | be notified of each new value: a row, a count, a document, a computed | [`live`] |
//! | be notified of each change of a list, row by row | [`diffs`] |
//! | show a list of any length | [`rows`], with a [`Scroll`] in the app's state |
//!
//! **Identity.** A subscription is identified by its store and its query: iced leaves it running as long as
//! `subscription` returns one of the same query, through any handle, and ends it when it no longer does.
//! For other parameters, put another handle into the state.
//!
//! **Client documents** are edited by committing in `update`: `Screen::set().draft(text)`, or the
//! [`changes`](livestore::schema::Document::changes) between the document and an edited copy. A text
//! field whose view reads the handle shows what was typed at once, whatever else is under way.
//!
//! **Errors.** While a query fails, its handle has the last value, and the subscriptions yield the error.

mod rows;
mod subscription;

pub use rows::{Scroll, rows};
pub use subscription::{Live, LiveDiffs, diffs, live};
