//! Live queries: what they add to a commit.
//!
//! The floor is not rusqlite here but an equal store without a live query, that commits the same
//! events. Both commit in blocks, in turns; what being live adds is the median of the blocks'
//! differences, so that what slows the machine down for a moment slows neither side alone. Whatever
//! a reader of the live query does (its callback, taking its diffs, `get`) is on ours' clock.
//!
//! Every bench checks what it measures: each commit's callbacks or diff, that both stores end
//! equal, and that each live value ends as a fresh query's.

mod app;
mod count;
mod handle;
mod list;
mod pair;
mod point;
mod predicate;

pub(crate) use count::{count, grouped};
#[cfg(target_os = "linux")]
pub(crate) use handle::memory;
pub(crate) use handle::{get, start};
pub(crate) use list::{list, list_get, top_inside, top_outside, top_pull};
pub(crate) use point::{fanout, idle, point};
pub(crate) use predicate::predicate;
