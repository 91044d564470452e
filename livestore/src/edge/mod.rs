//! The edges: where time, threads, randomness, files and sockets come from.
//!
//! The rest of the crate has none of them (law 7); clippy holds it to that. There are three edges:
//! an operating system, a browser (`wasm32-unknown-unknown`), and a simulator, which decides what
//! happens when (`--cfg simulation`).
#![cfg_attr(
    not(simulation),
    expect(
        clippy::disallowed_methods,
        reason = "this is the edge: what the core may not reach for is reached for here"
    )
)]

pub(crate) mod files;
#[cfg(not(any(simulation, target_family = "wasm")))]
mod native;
#[cfg(simulation)]
mod no_sockets;
pub(crate) mod primitives;
#[cfg(simulation)]
pub(crate) mod simulated;
#[cfg(any(simulation, target_family = "wasm"))]
pub mod virtual_fs;
#[cfg(all(target_family = "wasm", not(simulation)))]
pub(crate) mod web;

#[cfg(not(any(simulation, target_family = "wasm")))]
use native as edge;
#[cfg(simulation)]
use simulated as edge;
#[cfg(all(target_family = "wasm", not(simulation)))]
use web as edge;

#[cfg(not(target_family = "wasm"))]
pub(crate) use edge::Mail;
pub(crate) use edge::{
    Background, Mailbox, Stopwatch, Worker, catch_panic, fill_random, for_each_chunk, pause,
    read_ahead, unix_millis,
};
#[cfg(not(simulation))]
pub(crate) use edge::{Line, LineEvent, Listener, OnLine, dial, listen};
pub(crate) use files::{DirectoryLock, LockError, ReadFile};
#[cfg(simulation)]
pub(crate) use no_sockets::{Line, LineEvent, Listener, OnLine, dial, listen};
