//! LiveStore for [egui](https://docs.rs/egui): screens that show live queries, and are repainted when
//! one of them changes, by whatever thread, and not before.
//!
//! ```
//! use livestore::prelude::*;
//! use livestore_egui::{LiveDocument, LiveList};
//! use livestore_testing::sample::items::{App, Item, ItemEvent, Screen};
//!
//! struct Items {
//!     store: Store<App>,
//!     items: LiveList<Item>,
//!     screen: LiveDocument<App, Screen>,
//! }
//!
//! impl Items {
//!     fn new(store: Store<App>) -> livestore::Result<Self> {
//!         let items = LiveList::new(store.live(Item::all().order_by(Item::PLACE.asc()))?);
//!         Ok(Self { items, screen: LiveDocument::new(&store)?, store })
//!     }
//!
//!     /// The whole screen, as `eframe::App::ui` draws it.
//!     fn ui(&mut self, ui: &mut egui::Ui) -> livestore::Result<()> {
//!         self.screen.edit(ui, |ui, screen| ui.text_edit_singleline(&mut screen.draft))?;
//!         let mut done = None;
//!         self.items.show(ui, 24.0, |ui, _, item| {
//!             if ui.button(&item.title).clicked() {
//!                 done = Some(item.id);
//!             }
//!         });
//!         if let Some(id) = done {
//!             self.store.commit(ItemEvent::Done { id })?;
//!         }
//!         Ok(())
//!     }
//! }
//!
//! let store = Store::<App>::builder("items").open()?;
//! store.commit(ItemEvent::Filled { last: 100_000 })?;
//! let mut items = Items::new(store)?;
//! let context = egui::Context::default();
//! let mut output =
//!     context.run_ui(egui::RawInput::default(), |ui| items.ui(ui).expect("an open store"));
//! output.textures_delta.clear();
//! # Ok::<(), livestore::Error>(())
//! ```
//!
//! | to show | use |
//! |---|---|
//! | a list, of any length | [`LiveList`]: draws the rows that are visible |
//! | anything else: one row, a count, a computed, a signal | [`Live`] |
//! | a client document, to be edited | [`LiveDocument`] |
//! | a query with parameters that the user changes | [`LiveBy`] |
//!
//! **Repaints.** What a pass has shown is what a change repaints: the viewports that have shown the value,
//! each once. A hidden tab costs nothing, nor does a change of a row that is scrolled out of sight.
//!
//! **Errors.** [`Live::show`] and [`LiveList::show`] write the error of a query that fails above its last
//! value. To show it in another way, read [`Live::get`] and [`Live::error`].
//!
//! **Threads.** A view may commit while it draws. Do not commit inside of `Context::data_mut`, `memory_mut`
//! and their like, though: egui is locked there, and a repaint waits for it.

mod by;
mod document;
mod list;
mod live;
mod viewers;

pub use by::LiveBy;
pub use document::LiveDocument;
pub use list::LiveList;
pub use live::Live;
