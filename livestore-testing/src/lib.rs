//! For the tests of apps on LiveStore: several clients of one schema in one process, offline and
//! online, in conflict and in agreement, closed and opened again.
//!
//! ```
//! use livestore::prelude::*;
//! use livestore_testing::Clients;
//! use livestore_testing::sample::notes::{App, Note, NoteEvent, added};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let clients = Clients::<App>::new();
//! let (alice, bob) = (clients.open("alice")?, clients.open("bob")?);
//! alice.commit(added("milk"))?;
//! clients.sync()?;                                        // bob has it, too
//!
//! alice.offline();                                        // both change the same note
//! let change = |text: &str| NoteEvent::Changed { id: "milk".into(), text: text.into() };
//! alice.commit(change("2 litres"))?;
//! bob.commit(change("oat milk"))?;
//! clients.sync()?;                                        // of those who are online
//!
//! alice.online();
//! clients.sync()?;
//! clients.assert_converged();                             // the same events, the same state
//! let note = bob.query(Note::get("milk"))?.unwrap();
//! assert_eq!(note.text, "2 litres");                      // bob's change came first
//! # Ok(())
//! # }
//! ```
//!
//! | to test | use |
//! |---|---|
//! | clients that sync with one another | [`Clients`], [`Client::offline`], [`Client::online`], [`Clients::sync`] |
//! | two clients that change the same thing | [`Clients::conflict`] |
//! | a backend that is away, or loses a push or an answer | [`Clients::backend`] |
//! | an app that ends and starts again | [`Clients::restart`] |
//! | an app that is killed, or a power cut | [`Clients::crash`], [`Clients::power_cut`] |
//! | the time, and ids that are the same in every run | [`Clock`], [`CountedIds`] |
//! | events from a file | [`commit_events`] |
//! | that all clients agree | [`assert_converged`] |
//! | the whole state, as a snapshot | [`state_text`] |
//! | files: a new version of an app, a crash, a backup | [`StoreDirectory`] |
//! | what happens on another thread | [`wait_until`] |
//!
//! A test that passes never waits for time to pass; one that fails does so after [`TIMEOUT`].
//!
//! In a browser, where nothing can wait and no test has files, there are the time and ids, events from a file and the
//! state as text.

#[cfg(not(target_family = "wasm"))]
mod clients;
mod clock;
#[cfg(not(target_family = "wasm"))]
mod converge;
#[cfg(not(target_family = "wasm"))]
mod directory;
mod events_file;
pub mod sample;
mod state_text;
#[cfg(not(target_family = "wasm"))]
mod wait;

#[cfg(not(target_family = "wasm"))]
pub use clients::{Client, Clients, RestartError};
pub use clock::{Clock, CountedIds};
#[cfg(not(target_family = "wasm"))]
pub use converge::{Lagging, NotSynced, assert_converged, sync};
#[cfg(not(target_family = "wasm"))]
pub use directory::StoreDirectory;
pub use events_file::{EventsFileError, commit_events};
pub use state_text::state_text;
#[cfg(not(target_family = "wasm"))]
pub use wait::{TIMEOUT, wait_until};
