//! An issue tracker on LiveStore, with Dioxus: the components, for any platform. `main` opens a store and shows
//! them: in a browser, or in a window of the desktop.
//!
//! `ui` is what all components share, and `window` shows some rows of a long list. `list` and `board` are the two
//! ways to look at issues; `drag` moves them on the board. `detail` is one issue. What the keyboard does is in
//! `keys`, and all commands, also those of the palette, are in `command`.

mod app;
mod board;
mod command;
mod compose;
mod conflicts;
mod detail;
mod drag;
mod keys;
mod list;
mod names;
mod palette;
mod part;
mod sidebar;
mod sync;
mod toolbar;
mod ui;
mod window;

pub use app::{Sample, app};
