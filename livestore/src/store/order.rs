//! Who decides the order of a store's events.

use super::session::Follower;
use crate::sync::engine::Engine;
use crate::sync::merge::SyncState;

/// Who decides the order of a store's events.
#[derive(Debug)]
pub(super) enum Order {
    /// The store alone: every event counts as confirmed.
    Own,
    /// A sync backend.
    Backend(Box<Engine>),
    /// Another session of the same client, which has the log.
    Leader(Box<Follower>),
}

impl Order {
    /// How far the order is decided; `None` if all of it is.
    pub(super) fn state(&self) -> Option<&SyncState> {
        match self {
            Self::Own => None,
            Self::Backend(engine) => Some(engine.state()),
            Self::Leader(follower) => Some(follower.state()),
        }
    }

    /// Whether events are pushed to a backend, by this session or its leader.
    pub(super) fn syncs(&self) -> bool {
        match self {
            Self::Own => false,
            Self::Backend(_) => true,
            Self::Leader(follower) => follower.syncs(),
        }
    }

    /// Whether another session has the log.
    pub(super) fn follows(&self) -> bool {
        matches!(self, Self::Leader(_))
    }

    pub(super) fn engine(&self) -> Option<&Engine> {
        match self {
            Self::Backend(engine) => Some(engine),
            Self::Own | Self::Leader(_) => None,
        }
    }

    pub(super) fn engine_mut(&mut self) -> Option<&mut Engine> {
        match self {
            Self::Backend(engine) => Some(engine),
            Self::Own | Self::Leader(_) => None,
        }
    }

    pub(super) fn follower_mut(&mut self) -> Option<&mut Follower> {
        match self {
            Self::Leader(follower) => Some(follower),
            Self::Own | Self::Backend(_) => None,
        }
    }
}
