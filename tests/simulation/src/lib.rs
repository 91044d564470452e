//! The real client and the real server on a disk, a clock and a network that a seed decides.
//!
//! ```sh
//! cargo xtask simulation
//! ```
//!
//! A `plan` is drawn from a seed: who is there, what they do, what befalls them. A `world` carries
//! it out (`actions`) and holds all against its `ledger`s after every step; at the end everything
//! is repaired and must come to rest. `run` makes a plan that fails smaller.
#![cfg(simulation)]

pub mod actions;
pub mod app;
pub mod bookings;
pub mod client;
pub mod commands;
pub mod disk;
pub mod figures;
pub mod found;
pub mod intent;
pub mod ledger;
pub mod model;
pub mod network;
pub mod plan;
pub mod run;
pub mod server;
pub mod slot;
pub mod targets;
pub mod undo;
pub mod world;
