//! How a command ends: exit codes, and what is said about a failure.

use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use livestore::eventlog::EventlogError;
use livestore::inspect::{InspectError, SnapshotProblem};
use livestore::store::{CommitError, OpenError};
use livestore::{ErrorChain, SqliteError};
use livestore_protocol::printable;

use crate::args::Options;
use crate::output::quote;

/// The exit codes, which are the same for all commands; clap's own for wrong usage is 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Something failed; the message says what.
    Failed = 1,
    /// The arguments do not make sense together.
    Usage = 2,
    /// What was looked at is damaged, or differs from what it should be.
    Problem = 3,
    /// There is no such store, event or snapshot.
    NotFound = 4,
    /// An app has the store open.
    InUse = 5,
}

impl Exit {
    fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Problem => "problem",
            Self::NotFound => "not-found",
            Self::InUse => "in-use",
        }
    }
}

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) error: Box<dyn Error + Send + Sync>,
}

/// The result of a command.
pub(crate) type Result<T = (), E = Failure> = std::result::Result<T, E>;

impl Failure {
    pub(crate) fn new(exit: Exit, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { exit, error: error.into() }
    }

    pub(crate) fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Exit::Failed, error)
    }

    /// Wrong usage, with the error that says so.
    #[cfg(feature = "otlp")]
    pub(crate) fn usage_of(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Exit::Usage, error)
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message.into())
    }

    /// Whether nobody reads the output any more: then there is nothing to say.
    fn is_closed_pipe(&self) -> bool {
        let error = self.error.downcast_ref::<io::Error>();
        error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The message, with those of its causes, in one line.
    pub(crate) fn message(&self) -> String {
        let chain = ErrorChain::new(&*self.error).to_string();
        chain.lines().map(printable).collect::<Vec<_>>().join("\n")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::failed(error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        match error.io_error_kind() {
            Some(kind) => Self::failed(io::Error::from(kind)),
            None => Self::failed(error),
        }
    }
}

impl From<SqliteError> for Failure {
    fn from(error: SqliteError) -> Self {
        Self::failed(error)
    }
}

impl From<EventlogError> for Failure {
    fn from(error: EventlogError) -> Self {
        let exit = match &error {
            EventlogError::Corrupt { .. } => Exit::Problem,
            _ => Exit::Failed,
        };
        Self::new(exit, error)
    }
}

impl From<InspectError> for Failure {
    fn from(error: InspectError) -> Self {
        let exit = match &error {
            InspectError::NoStore { .. }
            | InspectError::NoSuchEvent { .. }
            | InspectError::Snapshot(SnapshotProblem::Missing) => Exit::NotFound,
            InspectError::Eventlog(EventlogError::Corrupt { .. })
            | InspectError::Snapshot(SnapshotProblem::Damaged { .. }) => Exit::Problem,
            _ => Exit::Failed,
        };
        Self::new(exit, error)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let exit = match &error {
            OpenError::Locked { .. } => Exit::InUse,
            OpenError::NoLog { .. } => Exit::NotFound,
            OpenError::StoreId { .. } => Exit::Usage,
            _ => Exit::Failed,
        };
        Self::new(exit, error)
    }
}

impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Self {
        Self::failed(error)
    }
}

/// Says on standard error why the command failed, if it did, and returns its exit code.
pub(crate) fn report(options: &Options, result: Result) -> ExitCode {
    let failure = match result {
        Ok(()) => return ExitCode::SUCCESS,
        Err(failure) if failure.is_closed_pipe() => return ExitCode::SUCCESS,
        Err(failure) => failure,
    };
    let message = failure.message();
    // If nobody reads it, the exit code says enough.
    let _ = if options.json {
        let (kind, message) = (quote(failure.exit.name()), quote(&message));
        writeln!(io::stderr(), r#"{{"error":{kind},"message":{message}}}"#)
    } else {
        writeln!(io::stderr(), "livestore: {message}")
    };
    ExitCode::from(failure.exit as u8)
}
