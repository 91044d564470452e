//! What SQLite complains about, sorted by what a caller can do.

use rusqlite::ErrorCode;

/// What kind of complaint it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SqliteErrorKind {
    /// A unique, not-null, check or foreign key constraint.
    Constraint,
    /// The SQL does something it may not: write in a query, read a clock in a materializer.
    Denied,
    /// The disk or the database is full.
    Full,
    /// The file cannot be read or written.
    Io,
    /// The file is damaged, or not a database.
    Corrupt,
    /// An integer sum left the 64-bit range.
    Overflow,
    /// Anything else; the message says what.
    Other,
}

/// An error of SQLite, in its own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SqliteError {
    kind: SqliteErrorKind,
    message: String,
}

impl SqliteError {
    /// What kind of complaint it is.
    pub fn kind(&self) -> SqliteErrorKind {
        self.kind
    }
}

impl From<rusqlite::Error> for SqliteError {
    fn from(error: rusqlite::Error) -> Self {
        let message = match &error {
            rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
            other => other.to_string(),
        };
        let kind = match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => SqliteErrorKind::Constraint,
            Some(ErrorCode::AuthorizationForStatementDenied) => SqliteErrorKind::Denied,
            Some(ErrorCode::DiskFull | ErrorCode::OutOfMemory) => SqliteErrorKind::Full,
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly) => {
                SqliteErrorKind::Io
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => SqliteErrorKind::Corrupt,
            _ if message.contains("integer overflow") => SqliteErrorKind::Overflow,
            // The authorizer's refusal of a function comes as a plain error.
            _ if message.contains("not authorized") => SqliteErrorKind::Denied,
            _ => SqliteErrorKind::Other,
        };
        Self { kind, message }
    }
}

impl From<std::io::Error> for SqliteError {
    fn from(error: std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::StorageFull
            | std::io::ErrorKind::QuotaExceeded
            | std::io::ErrorKind::FileTooLarge => SqliteErrorKind::Full,
            _ => SqliteErrorKind::Io,
        };
        Self { kind, message: error.to_string() }
    }
}
