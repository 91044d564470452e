//! Errors of NATS.

use std::error::Error;

use super::config::MIN_PAYLOAD;
use crate::store::StoreError;

/// The reason why a NATS server cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenNatsError {
    /// The URL is malformed, or has a parameter that is not known.
    #[error("the NATS URL cannot be read: {0}")]
    Url(String),
    /// A file that the URL names cannot be read.
    #[error("cannot use the credentials in {file}")]
    Credentials {
        /// The file.
        file: String,
        /// The reason.
        source: std::io::Error,
    },
    /// NATS does not answer.
    #[error("cannot connect to NATS at {place}")]
    Unreachable {
        /// Where it should be.
        place: String,
        /// The reason.
        source: Box<dyn Error + Send + Sync>,
    },
    /// NATS answers, but does not let the server in: a wrong password, token or account.
    #[error("NATS at {place} does not let the server in")]
    Refused {
        /// Where it is.
        place: String,
        /// The answer.
        source: Box<dyn Error + Send + Sync>,
    },
    /// NATS is older than atomic batches.
    #[error("NATS at {place} has version {found}; it has to be 2.12 or newer")]
    Version {
        /// Where it is.
        place: String,
        /// Its version.
        found: String,
    },
    /// JetStream is not turned on, or the account may not use it.
    #[error("NATS at {place} has no JetStream for this account: start nats-server with -js")]
    NoJetStream {
        /// Where it is.
        place: String,
    },
    /// Events do not fit into its messages.
    #[error("NATS at {place} has max_payload = {found}; it has to be at least {MIN_PAYLOAD}")]
    MaxPayload {
        /// Where it is.
        place: String,
        /// Its limit.
        found: usize,
    },
    /// Threads cannot be started.
    #[error("cannot start threads")]
    Threads(#[source] std::io::Error),
}

/// The reason why NATS did not carry out a request.
#[derive(Debug)]
pub(super) enum Failure {
    /// It was not reached: nothing has happened.
    Unreached,
    /// It did not answer in time, so nobody knows.
    Silent,
    /// Nobody is there who answers: there is no JetStream, or no such stream.
    NoResponders,
    /// It has refused, by its own number.
    Refused { code: u64, description: String },
    /// The answer makes no sense.
    Malformed(String),
}

/// The numbers of JetStream.
pub(super) const STREAM_EXISTS: u64 = 10_058;
pub(super) const STREAM_NOT_FOUND: u64 = 10_059;
const WRONG_LAST_SEQUENCE: [u64; 2] = [10_071, 10_164];
const STORAGE_EXCEEDED: [u64; 2] = [10_023, 10_047];

impl Failure {
    /// Whether others were first.
    pub(super) fn is_behind(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if WRONG_LAST_SEQUENCE.contains(code))
    }

    pub(super) fn has_code(&self, wanted: u64) -> bool {
        matches!(self, Self::Refused { code, .. } if *code == wanted)
    }

    /// Returns the error of a request that changes nothing, or nothing that is not seen later.
    pub(super) fn unavailable(self) -> StoreError {
        match self {
            Self::Refused { code, .. } if STORAGE_EXCEEDED.contains(&code) => StoreError::DiskFull,
            Self::Refused { code, .. } if code == STREAM_NOT_FOUND => StoreError::Unknown,
            Self::Refused { code, description } => {
                // The log has the details; clients read this.
                tracing::warn!(code, description, "NATS refused a request");
                StoreError::Unavailable(format!("NATS refused it ({code})"))
            }
            Self::Unreached => StoreError::Unavailable("NATS cannot be reached".to_owned()),
            Self::NoResponders => StoreError::Unavailable("JetStream is not there".to_owned()),
            Self::Silent => StoreError::Unavailable("NATS does not answer".to_owned()),
            Self::Malformed(problem) => {
                StoreError::Unavailable(format!("an answer of NATS makes no sense: {problem}"))
            }
        }
    }

    /// Returns the error of an append.
    pub(super) fn of_append(self) -> StoreError {
        match self {
            Self::Silent => StoreError::Uncertain("NATS is silent".to_owned()),
            other => other.unavailable(),
        }
    }
}
