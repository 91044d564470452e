//! LiveStore for [Slint](https://docs.rs/slint): models that a live query updates row by row, and properties
//! that are bound to live values.
//!
//! ```
//! use livestore::prelude::*;
//! use livestore_slint::{LiveModel, bind};
//! use livestore_testing::sample::items::{App, Item, ItemEvent};
//! use slint::{ComponentHandle, ModelRc};
//!
//! slint::slint! {
//!     export struct Row { title: string, done: bool }
//!     export component Items inherits Window {
//!         in property <[Row]> items;
//!         in property <int> open;
//!         VerticalLayout {
//!             Text { text: root.open + " to do"; }
//!             for item in root.items: Text { text: item.title; }
//!         }
//!     }
//! }
//!
//! # i_slint_backend_testing::init_no_event_loop();
//! let store = Store::<App>::builder("items").open()?;
//! let ui = Items::new()?;
//!
//! let items = store.live(Item::all().order_by(Item::PLACE.asc()))?;
//! let items = LiveModel::new(items, |item| Row { title: (&item.title).into(), done: item.done });
//! ui.set_items(ModelRc::from(items.clone()));
//!
//! let open = store.live(Item::filter(Item::DONE.eq(false)).count())?;
//! let _binding = bind(&open, &ui, |ui, open| ui.set_open(open.map_or(-1, |open| **open as i32)));
//!
//! store.commit(ItemEvent::Filled { last: 100_000 })?;
//! // ui.run()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | to show | use |
//! |---|---|
//! | a list, of any length | [`LiveModel`]; Slint's `ListView` creates the visible rows only |
//! | anything else: one row, a count, a document, a computed, an error | [`bind`] |
//!
//! **Threads.** Any thread may commit. Models and bindings are updated on the thread of Slint's event loop.
//! Make them on that thread, and after the first window, because there is no event loop before it. Changes
//! that arrive before the loop has time are applied together.
//!
//! **Client documents** are shown with [`bind`], and edited by committing in a callback:
//! `ui.on_draft_edited(move |text| … store.commit(Screen::set().draft(text)) …)`.
//!
//! **Licence.** This crate is MIT or Apache-2.0. Slint has licences of its own, and your app needs one of them.

#![forbid(unsafe_code)]

mod bind;
mod event_loop;
mod model;

pub use bind::{Binding, bind};
pub use model::LiveModel;
