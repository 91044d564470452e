//! Shapes: what the schema lock and an eventlog remember of events, and what a change breaks.
//!
//! The macros compare an app's types with `livestore.lock` while compiling, and a store compares its
//! schema with the log's own record when it opens. Both have to say the same of the same change, so
//! the comparison is here, below both: text in, differences out, no files and no dependencies.

mod compare;
mod lock;
mod shape;
mod words;

pub use compare::{Change, Difference, Effect, compare};
pub use lock::{Kind, Lock, ParseError};
pub use shape::{Shape, Text};
