//! A self-hosted sync backend for LiveStore: it gives the events of many clients one order, keeps
//! them, and tells them to everybody. TypeScript and Rust clients speak to it alike.
//!
//! The `livestore-server` binary is all that is needed to run one. This library is for those who
//! want another storage, another way to tell who may do what, or a server within a program:
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
//! From the inside out: [`store`] keeps events and decides their order; [`hub`] tells what is new;
//! [`session`] is the protocol, one connection at a time and without I/O; [`Server`] has the
//! sockets; [`auth`] says who may do what.

/// Whether this code has a deliberate bug: never, but when a simulation is tried on it.
macro_rules! mutant {
    ($name:literal) => {{
        #[cfg(simulation)]
        let is_mutated = livestore::simulation::is_mutated($name);
        #[cfg(not(simulation))]
        let is_mutated = false;
        is_mutated
    }};
}

pub mod auth;
#[doc(hidden)]
pub mod cli;
pub mod hub;
mod server;
pub mod session;
pub mod store;

pub use server::{Limits, Server};
