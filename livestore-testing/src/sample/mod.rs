//! Small apps to try things with. LiveStore's own tests, benchmarks and documentation share them.
//!
//! They are made for that, and may change with any release: an app's tests use the app's own schema.

pub mod counters;
pub mod items;
pub mod notes;
pub mod seats;
pub mod todos;
