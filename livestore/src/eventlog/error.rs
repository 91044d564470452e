//! Why a log cannot be read or written.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::error::{Unavailable, unavailable_becomes};
use crate::event::SeqNum;
use crate::sqlite::{SqliteError, SqliteErrorKind};

/// Why the eventlog could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventlogError {
    /// The file is not an eventlog.
    #[error("{} is not an eventlog; move it away, or choose another directory", path.display())]
    NotAnEventlog {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a newer version.
    #[error(
        "{} has eventlog format {found}, this version of livestore reads up to {supported}; \
         update the app", path.display()
    )]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that this version reads.
        supported: i64,
    },
    /// The file is damaged. Nothing was changed; events before the damage can still be exported.
    #[error(
        "the eventlog is damaged{}: {detail}; restore it from a backup",
        at.map(|seq| format!(" at {seq}")).unwrap_or_default()
    )]
    Corrupt {
        /// The first event that is not what was written, where that is known.
        at: Option<SeqNum>,
        /// A description of the damage.
        detail: String,
        /// What SQLite says, if it was SQLite that noticed.
        source: Option<SqliteError>,
    },
    /// The disk is full. The events in question were not logged.
    #[error("the disk is full; free some space and try again")]
    Full(#[source] SqliteError),
    /// Another program has the file locked, and did not unlock it within half a second.
    #[error("another program has the eventlog locked; try again when it is done")]
    Busy(#[source] SqliteError),
    /// The file was deleted, moved or replaced while the store was open: what is written now is
    /// nowhere to be found later. The log can still be read until the store is closed.
    #[error(
        "{} was deleted, moved or replaced while the store was open; \
         save what `events()` returns, then close the store and open it again", path.display()
    )]
    FileLost {
        /// The file.
        path: PathBuf,
    },
    /// The process has as many files open as it may.
    #[error(
        "too many open files: {}; close stores that are not needed, or raise the limit",
        limit_text(*limit)
    )]
    TooManyOpenFiles {
        /// The limit, `RLIMIT_NOFILE`, where the system says it.
        limit: Option<u64>,
    },
    /// The file cannot be read or written.
    #[error("the eventlog cannot be read or written")]
    Io(#[source] SqliteError),
    /// The background thread could not write the buffered events. They stay buffered, and it tries
    /// again.
    #[error("the events that were committed before are not written yet")]
    Unwritten(#[source] Box<EventlogError>),
    /// The session that has the log could not write this session's commits, or does not answer. They
    /// stay pending in this session, and are sent again.
    #[error("the session that has the log has not written the last commits: {reason}")]
    Unacknowledged {
        /// The reason, for people.
        reason: String,
    },
    /// The events before this one are not here: the store was opened from an [image] of the state, or this
    /// is a browser's page, which cannot read the log's file.
    ///
    /// [image]: crate::sync::InitialSync::Image
    #[error(
        "only the events after {after} are here; `Store::load_history`, and in a browser's page \
         `livestore_web::load_history`, gets those before"
    )]
    NotReceived {
        /// The event behind which all of them are here.
        after: SeqNum,
    },
    /// The store is closed.
    #[error("{}", Unavailable::Closed)]
    Closed,
    /// A materializer used the store. Use its `state` instead.
    #[error("{}", Unavailable::InMaterializer)]
    InMaterializer,
    /// The store was used by code that it calls while it works, such as the `decode` of a column type:
    /// that would wait for itself.
    #[error("{}", Unavailable::Reentrant)]
    Reentrant,
    /// The operating system refuses a thread for the store's work in the background.
    #[error("no thread can be started for the store's work in the background")]
    NoThread(#[source] IoError),
}

fn limit_text(limit: Option<u64>) -> String {
    match limit {
        Some(limit) => format!("this process may have {limit} (RLIMIT_NOFILE, `ulimit -n`)"),
        None => "this process has as many as it may (RLIMIT_NOFILE, `ulimit -n`)".to_owned(),
    }
}

impl EventlogError {
    /// What was read is not what was written.
    pub(super) fn corrupt(at: Option<SeqNum>, detail: impl Into<String>) -> Self {
        Self::Corrupt { at, detail: detail.into(), source: None }
    }

    /// SQLite cannot read what was written.
    pub(super) fn unreadable(at: Option<SeqNum>, source: impl Into<SqliteError>) -> Self {
        let detail = "SQLite cannot read it".to_owned();
        Self::Corrupt { at, detail, source: Some(source.into()) }
    }

    /// Whether another program has the file locked: it may be done in a moment.
    pub(crate) fn is_busy(&self) -> bool {
        match self {
            Self::Busy(_) => true,
            Self::Unwritten(error) => error.is_busy(),
            _ => false,
        }
    }
}

/// An error of the operating system, which can be cloned and compared.
#[derive(Debug, Clone, thiserror::Error)]
#[error(transparent)]
pub struct IoError(Arc<io::Error>);

impl IoError {
    /// The kind of error.
    pub fn kind(&self) -> io::ErrorKind {
        self.0.kind()
    }
}

impl From<io::Error> for IoError {
    fn from(error: io::Error) -> Self {
        Self(Arc::new(error))
    }
}

/// Errors with the same kind and the same message are equal.
impl PartialEq for IoError {
    fn eq(&self, other: &Self) -> bool {
        self.kind() == other.kind() && self.to_string() == other.to_string()
    }
}

impl Eq for IoError {}

unavailable_becomes!(EventlogError);

impl From<SqliteError> for EventlogError {
    fn from(error: SqliteError) -> Self {
        match error.kind() {
            SqliteErrorKind::Corrupt => Self::unreadable(None, error),
            SqliteErrorKind::Full => Self::Full(error),
            SqliteErrorKind::Busy => Self::Busy(error),
            _ => Self::Io(error),
        }
    }
}

/// The SQL that is run on a log fits every log: if SQLite misses a table or a column, or finds
/// another type, the file is damaged.
///
/// For `?` within the crate; apps have no use for it, nor for the version of `rusqlite` that it names.
#[doc(hidden)]
impl From<rusqlite::Error> for EventlogError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        let fits = match &error {
            E::SqliteFailure(failure, _) | E::SqlInputError { error: failure, .. } => {
                failure.code != rusqlite::ErrorCode::Unknown
            }
            E::FromSqlConversionFailure(..) | E::InvalidColumnType(..) | E::Utf8Error(..) => false,
            _ => true,
        };
        match SqliteError::from(error) {
            error if fits => error.into(),
            error => Self::unreadable(None, error),
        }
    }
}
