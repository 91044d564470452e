//! How jobs come to the writer: by a thread of its own, or by a simulator's schedule.

#[cfg(simulation)]
mod simulated;
#[cfg(not(simulation))]
mod threaded;

#[cfg(simulation)]
pub(super) use simulated::Queue;
#[cfg(not(simulation))]
pub(super) use threaded::Queue;
