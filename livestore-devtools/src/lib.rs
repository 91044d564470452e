//! Devtools for [LiveStore](livestore): a local page that shows a store's data, its eventlog, the state at
//! any event, the live queries and the sync, while the app runs.
//!
//! ```no_run
//! # use livestore::prelude::*;
//! # use livestore_testing::sample::todos::*;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = Store::<App>::builder("todos").directory("./data").open()?;
//! let devtools = livestore_devtools::serve(&store)?;
//! println!("devtools: {}", devtools.url());
//! # Ok(())
//! # }
//! ```
//!
//! The page is served on this machine alone, to whoever has the token in the URL. It is a client like any
//! other: it changes nothing by looking, and what it commits has a session id of its own.
//!
//! A release build usually has no devtools: make this crate an optional dependency of the app's, and call
//! `serve` behind that feature.
//!
//! | module | contents |
//! |---|---|
//! | [`host`] | answers the page's calls about a store; no I/O |
//! | [`protocol`] | the calls and answers |
//! | `server` | the local web server, natively: `serve` |
//! | `web` | a second tab of the app, in a browser: `open_tab` |

pub mod host;
mod page;
pub mod protocol;
#[cfg(not(target_family = "wasm"))]
mod server;

#[cfg(target_family = "wasm")]
mod web;

#[cfg(not(target_family = "wasm"))]
pub use server::{Devtools, Options, ServeError, serve, serve_folder, serve_with};
#[cfg(target_family = "wasm")]
pub use web::{OpenTabError, open_tab};
