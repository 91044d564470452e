//! A self-hosted sync backend for LiveStore: it gives the events of many clients one order, stores
//! them, and sends them to every client. It serves TypeScript and Rust clients alike.
//!
//! To run a server, the `livestore-server` binary is enough. This library is for programs that embed
//! a server, store events elsewhere ([`store::EventStore`]), or decide in their own way who may do
//! what ([`auth::Authenticate`]):
//!
//! ```no_run
//! use std::sync::Arc;
//! use livestore_server::auth::NoAuth;
//! use livestore_server::store::{Durability, SqliteStore, StoreLimits};
//! use livestore_server::{Limits, Server};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let store = SqliteStore::open("data".as_ref(), Durability::Synced, StoreLimits::NONE)?;
//! let (store, auth) = (Arc::new(store), Arc::new(NoAuth));
//! let server = Server::bind("127.0.0.1:8787", store, auth, Limits::default()).await?;
//! server.serve(std::future::pending()).await;
//! # Ok(())
//! # }
//! ```
//!
//! [`store`] stores events and decides their order, [`auth`] decides who may do what, and [`Server`]
//! serves clients over WebSocket and HTTP. With the feature `schema`, the module of that name makes a server
//! that knows the app's schema: it has the state of every store, and validates what clients push.
//!
//! # Features
//!
//! `postgres` and `nats`, on by default, are storages that several servers may share. `schema` is a server that
//! knows the app's schema, and depends on `livestore`.

// From the inside out: `store` decides the order of events; `hub` publishes new ones; `session` is
// the protocol, one connection at a time and without I/O; `server` has the sockets; `schema` extends it.

pub mod auth;
#[doc(hidden)]
pub mod cli;
mod edge;
mod hub;
#[cfg(feature = "schema")]
pub mod schema;
mod server;
mod session;
pub mod store;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use server::{Builder, Limits, Server};

/// The parts of a server without its sockets, for the simulator and the fuzzer of this project. Not
/// part of the API.
#[doc(hidden)]
pub mod internal {
    pub use crate::hub::{Hub, Room};
    pub use crate::session::{Effect, Session, Ticket};
}
