//! The wire between a client and a backend: it can be cut, and it remembers what the client sent.

mod message;
mod proxy;
mod traps;

pub(crate) use proxy::Wire;
