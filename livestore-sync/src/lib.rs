//! Sync backends for LiveStore: how the events of a store get to a server, and those of others back.
//!
//! | backend | what for |
//! |---|---|
//! | [`WebSocket`] | a server that sends new events as they happen |
//! | [`Http`] | a server behind a network without WebSockets: it is polled every few seconds |
//! | [`InProcess`] | several stores in one program, and tests |
//!
//! All three are a [`SyncBackend`](livestore::sync::SyncBackend), which a store takes when it is
//! opened:
//!
//! ```no_run
//! use livestore::sync::SyncOptions;
//! use livestore_sync::WebSocket;
//!
//! let backend = WebSocket::new("wss://sync.example.com");
//! let options = SyncOptions::new(backend).payload(r#"{"authToken":"secret"}"#);
//! // Store::<App>::builder("todos").sync(options).open()?
//! ```
//!
//! A token that is valid for some minutes comes from a function of the app's, which a store asks again
//! whenever it connects: [`payload_with`], [`payload_async`].
//!
//! The servers are LiveStore's own (`@livestore/sync-cf`) and `livestore-server`. A backend never
//! retries by itself: it reports that the connection has [ended], and the store connects again.
//!
//! # Threads
//!
//! An app needs no async runtime: every connection runs on a thread of its own, which ends when the
//! store drops the connection. An app that has a tokio runtime can pass it to
//! [`WebSocket::runtime`] or [`Http::runtime`]; then there is no thread.
//!
//! In a browser (`wasm32-unknown-unknown`), connections are the browser's own, and run on the event
//! loop of the page or worker. [`WebSocket`] and [`Http`] say what differs there.
//!
//! # Features
//!
//! `client` (default): [`WebSocket`] and [`Http`]. Without it there is only [`InProcess`], which
//! needs no more crates than `livestore` does.
//!
//! [ended]: livestore::sync::BackendMessage::Disconnected
//! [`payload_with`]: livestore::sync::SyncOptions::payload_with
//! [`payload_async`]: livestore::sync::SyncOptions::payload_async

#[cfg(feature = "client")]
mod http;
mod in_process;
#[cfg(feature = "client")]
mod net;
#[cfg(feature = "client")]
mod websocket;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(feature = "client")]
pub use http::Http;
pub use in_process::{InProcess, NextPush};
#[cfg(feature = "client")]
pub use websocket::WebSocket;
#[cfg(feature = "client")]
#[doc(hidden)]
pub use websocket::{Conversation, Ended};
