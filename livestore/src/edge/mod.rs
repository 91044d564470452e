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

pub(crate) use edge::{
    Background, Line, LineEvent, Listener, Mailbox, OnLine, Stopwatch, Worker, catch_panic, dial,
    fill_random, for_each_chunk, listen, pause, read_ahead, run_aside, spawn, unix_millis,
};
#[cfg(not(target_family = "wasm"))]
pub(crate) use edge::{Condition, Mail, Task, current_task};
pub(crate) use files::{DirectoryLock, LockError, ReadFile};
