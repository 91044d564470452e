//! A store among the sessions of its client: it leads them, or follows the one that does.
//!
//! [`hub`] is the leader's side: it answers the other sessions, and notifies them of every change of the
//! log. [`follow`] is the other side. [`seek`] finds the leader, or takes its place when there is none.

mod acks;
mod arrive;
mod follow;
mod history;
mod hub;
mod join;
mod journal;
mod outgoing;
mod recover;
mod seek;
mod send;
mod show;
mod step_down;
mod takeover;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

pub(super) use acks::{Acks, Awaited};
#[cfg(not(target_family = "wasm"))]
pub(super) use acks::{CLOSING, PATIENCE};
pub(super) use follow::Follower;
pub(super) use history::SILENCE;
pub(super) use hub::Hub;
pub(super) use join::{Joined, Joining};
pub use journal::Journal;
/// Whether a leader writes the commits of sessions together.
pub(super) const GATHERS: bool = outgoing::Outgoing::GATHERS;

pub(super) use seek::{Input, Seeker};

use crate::edge::{Mailbox, Worker};
use crate::eventlog::Durability;
use crate::schema::SchemaDef;
use crate::session::{Hello, PROTOCOL, Reads, SchemaPart};
use crate::sync::SyncOptions;

/// What a session needs to become the leader.
pub(super) struct Setup {
    pub(super) folder: PathBuf,
    pub(super) durability: Durability,
    pub(super) sync: Option<SyncOptions>,
    /// Whether it can never lead, as it cannot have the store's files.
    pub(super) without_files: bool,
}

/// A store's part in the conversation of its client's sessions.
pub(super) struct Sessions {
    /// `None` if the store can never follow: it is in memory, or the only session.
    pub(super) setup: Option<Setup>,
    pub(super) acks: Acks,
    worker: Mutex<Option<Worker<Input>>>,
}

impl Sessions {
    /// The part of a store that follows nobody.
    pub(super) fn none() -> Self {
        Self { setup: None, acks: Acks::default(), worker: Mutex::default() }
    }

    /// The part of a store that follows or leads, and may do the other later.
    pub(super) fn of(setup: Setup) -> Self {
        Self { setup: Some(setup), acks: Acks::default(), worker: Mutex::default() }
    }

    /// Starts the thread that follows the leader. Returns that of an earlier time, which is ending, and may
    /// want a lock that is held here: drop it without one.
    pub(super) fn start(
        &self,
        mailbox: Arc<Mailbox<Input>>,
        mut seeker: Seeker,
    ) -> std::io::Result<Option<Worker<Input>>> {
        let worker = Worker::spawn("livestore-session", mailbox, move |input| seeker.turn(input))?;
        Ok(self.worker.lock().unwrap_or_else(PoisonError::into_inner).replace(worker))
    }

    /// Whether a commit waits until it is on disk.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn is_synced(&self) -> bool {
        self.setup.as_ref().is_some_and(|setup| setup.durability == Durability::Synced)
    }

    /// Ends the thread, and what waits for acknowledgements.
    pub(super) fn close(&self) {
        self.acks.close();
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(worker);
    }
}

/// The first message of a session.
fn hello(
    store_id: &str,
    session_id: &Arc<str>,
    schema: &'static SchemaDef,
    schema_hash: i64,
    reads: Reads,
    has_backend: bool,
) -> Hello {
    Hello {
        protocol: PROTOCOL,
        store_id: store_id.to_owned(),
        session_id: Arc::clone(session_id),
        schema_hash,
        schema: parts(schema),
        reads,
        has_backend,
    }
}

fn parts(schema: &SchemaDef) -> Vec<SchemaPart> {
    schema.parts().into_iter().map(|(name, hash)| SchemaPart { name, hash }).collect()
}
