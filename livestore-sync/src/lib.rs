//! Sync backends for LiveStore, and the wire protocol between them and the server.
//!
//! | backend | what for |
//! |---|---|
//! | [`WebSocket`] | a server, with events as they happen |
//! | [`Http`] | a server that is only reached by plain requests: it is asked every few seconds |
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
//! The servers are LiveStore's own (`@livestore/sync-cf`) and `livestore-server`. A backend never
//! tries again by itself: it says that the connection is [lost], and the store connects anew.
//!
//! # Threads
//!
//! An app needs no async runtime: every connection runs on a thread of its own, which ends when the
//! store drops the link. An app that has a tokio runtime hands it over with [`WebSocket::on`] or
//! [`Http::on`], and there is no thread.
//!
//! # Features
//!
//! `client` (default): [`WebSocket`] and [`Http`]. Without it, [`wire`] and [`InProcess`] are left,
//! which need no more than `livestore` does.
//!
//! [lost]: livestore::sync::BackendMessage::Disconnected

#[cfg(feature = "client")]
mod http;
mod in_process;
#[cfg(feature = "client")]
mod net;
#[cfg(feature = "client")]
mod websocket;
pub mod wire;

#[cfg(feature = "client")]
pub use http::Http;
pub use in_process::{InProcess, NextPush};
#[cfg(feature = "client")]
pub use websocket::WebSocket;
#[cfg(feature = "client")]
#[doc(hidden)]
pub use websocket::{Conversation, Ended};
