//! Sessions: several open stores of one client, of which one leads.
//!
//! The *leader* owns the log and the connection to the backend. It decides the order of its client's
//! events, as a backend does for clients: a session commits to its own state at once, sends the commit
//! to the leader, and counts it as its own, *unacknowledged* one until the leader says where it is in
//! the log. Unlike a backend, the leader gives events their numbers itself, so that no session ever has
//! to try again.
//!
//! [`message`] is the conversation, [`frame`] and [`codec`] its bytes, and [`mirror`] what a session
//! makes of it: all of it without I/O, threads or a clock. A store drives it; `edge` carries the frames.

mod codec;
mod frame;
mod message;
mod mirror;

pub(crate) use codec::Bytes;
pub(crate) use frame::{Assembler, Garbage, MAX_MESSAGE, frames};
pub(crate) use message::{
    Command, Difference, FromLeader, FromSession, Hello, Inspect, Inspected, PROTOCOL,
    PresentState, Reads, Recover, Recovered, Refusal, SchemaPart, Sessions, StateImage, Welcome,
};
pub(crate) use mirror::{Change, LeaderOrder, Mirror, OutOfStep, Planned, Update, behind};
