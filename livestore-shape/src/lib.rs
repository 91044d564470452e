//! Shapes of events: how the schema lock and an eventlog record them, and which changes break them.
//!
//! The macros compare an app's types with `livestore.lock` while compiling, and a store compares its
//! schema with the log's own record when it opens. Both have to judge the same change alike, so the
//! comparison is here, below both: text in, differences out, no files and no dependencies. The lock can also
//! be written as types of TypeScript, for a page that commits events.

mod compare;
mod lock;
mod quoting;
mod readable;
mod rust_type;
mod shape;
mod typescript;

pub use compare::{Consequence, Difference, ShapeChange, compare};
pub use lock::{ItemKind, Lock, LockParseError};
pub use shape::{MarkedText, Shape};
