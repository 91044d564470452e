//! Errors of Postgres.

use std::error::Error;

use tokio_postgres::error::{DbError, Severity, SqlState};

use crate::store::StoreError;
use crate::store::remote::TlsError;

/// The reason why a Postgres database cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenPostgresError {
    /// The URL is malformed, or has a parameter that is not known.
    #[error("the Postgres URL cannot be read")]
    Url(#[source] tokio_postgres::Error),
    /// The size of the pool is not a number that can be meant.
    #[error("connections is `{found}`; it has to be 1 to 1000")]
    Connections {
        /// The text in the URL.
        found: String,
    },
    /// The certificates to trust cannot be used.
    #[error("no TLS to Postgres is possible")]
    Tls(#[from] TlsError),
    /// Postgres does not answer.
    #[error("cannot connect to Postgres at {place}")]
    Unreachable {
        /// Where it should be.
        place: String,
        /// The reason.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Postgres answers, but does not let the server in: a wrong password, role or database.
    #[error("Postgres at {place} does not let the server in")]
    Refused {
        /// Where it is.
        place: String,
        /// The answer.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Postgres is a replica, or the role may only read.
    #[error(
        "Postgres at {place} is read-only: connect to the primary (with several hosts in the URL, add \
         target_session_attrs=read-write), or turn default_transaction_read_only off"
    )]
    ReadOnly {
        /// Where it is.
        place: String,
    },
    /// Postgres answers before the disk has the events.
    #[error(
        "Postgres at {place} has {setting} = {value}, so that what is acknowledged may be lost: turn it \
         on, or start with --durability written"
    )]
    NotDurable {
        /// Where it is.
        place: String,
        /// The setting.
        setting: &'static str,
        /// Its value.
        value: String,
    },
    /// A different version, or a different program, has made the schema.
    #[error(
        "the schema `livestore` has version {found}, but this server uses version {}",
        super::schema::VERSION
    )]
    Version {
        /// Its version.
        found: i32,
    },
    /// The schema is missing, and the role may not create it, or may not use it.
    #[error(
        "cannot use the schema `livestore`; docs/self-hosting.md has the SQL for a role that can"
    )]
    Schema(#[source] tokio_postgres::Error),
    /// Threads cannot be started.
    #[error("cannot start threads")]
    Threads(#[source] std::io::Error),
}

/// The reason why Postgres did not carry out a request.
pub(super) enum Failure {
    /// It was not reached: nothing has happened.
    Unreached(String),
    /// It has answered.
    Answered(tokio_postgres::Error),
    /// The connection broke, so nobody knows.
    Broken(String),
    /// It did not answer in time, so nobody knows.
    Silent,
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            // Such an error may come behind the commit.
            Some(db) if is_end(db) => Self::Broken(chain(&error)),
            Some(_) => Self::Answered(error),
            None => Self::Broken(chain(&error)),
        }
    }
}

impl Failure {
    /// Returns the error of a request that changes nothing, or nothing that is not seen later.
    pub(super) fn unavailable(self) -> StoreError {
        let said = match self {
            Self::Answered(error) => return answered(&error),
            Self::Unreached(reason) | Self::Broken(reason) => {
                tracing::warn!(reason, "Postgres cannot be reached");
                "Postgres cannot be reached"
            }
            Self::Silent => "Postgres does not answer",
        };
        StoreError::Unavailable(said.to_owned())
    }

    /// Returns the error of an append.
    pub(super) fn of_append(self) -> StoreError {
        match self {
            Self::Broken(reason) => {
                tracing::warn!(reason, "the connection to Postgres broke during an append");
                StoreError::Uncertain("the connection to Postgres broke".to_owned())
            }
            Self::Silent => StoreError::Uncertain("Postgres is silent".to_owned()),
            other => other.unavailable(),
        }
    }

    /// Whether a prepared statement was not there, or another one had its name.
    pub(super) fn lacks_statement(&self) -> bool {
        let lacking = [
            SqlState::INVALID_SQL_STATEMENT_NAME,
            SqlState::DUPLICATE_PSTATEMENT,
            SqlState::PROTOCOL_VIOLATION,
        ];
        let Self::Answered(error) = self else { return false };
        error.code().is_some_and(|code| lacking.contains(code))
    }

    /// Whether another connection may lead to a Postgres that works.
    pub(super) fn concerns_connection(&self) -> bool {
        match self {
            Self::Answered(error) => error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION),
            Self::Unreached(_) => false,
            Self::Broken(_) | Self::Silent => true,
        }
    }
}

fn answered(error: &tokio_postgres::Error) -> StoreError {
    // The log has the details; clients, who read this, need not know tables and roles.
    tracing::warn!(error = chain(error), "Postgres refused a request");
    match error.code() {
        Some(&SqlState::DISK_FULL) => StoreError::DiskFull,
        Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => {
            StoreError::Unavailable("Postgres is read-only".to_owned())
        }
        Some(code) => StoreError::Unavailable(format!("Postgres refused it ({})", code.code())),
        None => StoreError::Unavailable("Postgres refused it".to_owned()),
    }
}

/// Whether the error ends the connection. PgBouncer sends its own with the code of a violated protocol, and
/// without the severity that is never translated.
fn is_end(error: &DbError) -> bool {
    match error.parsed_severity() {
        Some(severity) => matches!(severity, Severity::Fatal | Severity::Panic),
        None => error.severity() == "FATAL",
    }
}

/// Returns an error and its causes in one line.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    livestore_protocol::ErrorChain::new(error).to_string()
}
