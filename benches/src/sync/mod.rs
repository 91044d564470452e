//! Sync: our server with its files and its fsyncs, and our clients, on loopback in one process.
//!
//! Goals that are rates are given as the time of one event. The backend's own rows push without a
//! store; the clients' rows go from commit to callback.

mod backend;
mod client;
mod push;

pub(crate) use backend::Backend;
pub(crate) use client::{catch_up, delivered_between, image, latency, latency_p99, rebase};
pub(crate) use push::{conflict, hundred, one, stores};
