//! Errors of SQLite, by what a caller can do about them.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use rusqlite::ErrorCode;

use super::limits;

/// The kind of a [`SqliteError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SqliteErrorKind {
    /// A unique, not-null, check or foreign key constraint is violated.
    Constraint,
    /// The SQL is not permitted: it writes in a query, or reads a clock in a materializer.
    Denied,
    /// The disk, the database or the memory is full.
    Full,
    /// The file cannot be read or written.
    Io,
    /// Another program has the file locked.
    Busy,
    /// The file is damaged, or not a database.
    Corrupt,
    /// The statement was interrupted.
    Interrupted,
    /// The SQL, or a value, exceeds a limit of SQLite's, such as the number of binds or the depth of an
    /// expression; the message says which.
    Limit,
    /// A sum of integers left the 64-bit range.
    Overflow,
    /// Any other error; the message says which.
    Other,
}

/// An error of SQLite, or of a file that it reads or writes.
///
/// The message is SQLite's own, but for [limits](SqliteErrorKind::Limit). [`source`](Error::source) returns what caused the error beyond that,
/// if anything did. Two errors are equal if their kinds and messages are.
#[derive(Debug, Clone)]
pub struct SqliteError {
    kind: SqliteErrorKind,
    cause: Cause,
}

#[derive(Debug, Clone)]
enum Cause {
    Sqlite(Arc<rusqlite::Error>),
    Io(Arc<std::io::Error>),
}

impl SqliteError {
    /// Returns the kind of the error.
    pub fn kind(&self) -> SqliteErrorKind {
        self.kind
    }

    /// The table that a statement names and that there is not, if that is the error.
    pub(crate) fn missing_table(&self) -> Option<String> {
        self.to_string().strip_prefix("no such table: ").map(str::to_owned)
    }

    /// Whether the machine is at fault, and not the statement or its values: the same statement may
    /// succeed at another time, or on another client.
    pub(crate) fn is_environmental(&self) -> bool {
        match self.kind {
            SqliteErrorKind::Full
            | SqliteErrorKind::Io
            | SqliteErrorKind::Busy
            | SqliteErrorKind::Corrupt
            | SqliteErrorKind::Interrupted => true,
            SqliteErrorKind::Constraint
            | SqliteErrorKind::Denied
            | SqliteErrorKind::Limit
            | SqliteErrorKind::Overflow
            | SqliteErrorKind::Other => false,
        }
    }
}

impl fmt::Display for SqliteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Sqlite(error) => write_message(error, f),
            Cause::Io(error) => error.fmt(f),
        }
    }
}

impl Error for SqliteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = match &self.cause {
            Cause::Sqlite(error) if is_about_sql(error) => None,
            Cause::Sqlite(error) => error.source(),
            Cause::Io(error) => error.source(),
        };
        // Some messages of SQLite's bindings contain that of their source, or the other way round.
        source.filter(|source| {
            let (own, of_source) = (self.to_string(), source.to_string());
            !own.contains(&of_source) && !of_source.contains(&own)
        })
    }
}

impl PartialEq for SqliteError {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.to_string() == other.to_string()
    }
}

impl Eq for SqliteError {}

/// For `?` within the crate; apps have no use for it, nor for the version of `rusqlite` that it names.
#[doc(hidden)]
impl From<rusqlite::Error> for SqliteError {
    fn from(error: rusqlite::Error) -> Self {
        Self { kind: kind_of(&error), cause: Cause::Sqlite(Arc::new(error)) }
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
        Self { kind, cause: Cause::Io(Arc::new(error)) }
    }
}

impl SqliteError {
    /// The error of SQLite for a database that cannot grow.
    pub(crate) fn full() -> Self {
        let failure = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL);
        rusqlite::Error::SqliteFailure(failure, Some("the state is too large".to_owned())).into()
    }

    /// The error of SQLite for a statement that somebody ends.
    pub(crate) fn interrupted() -> Self {
        let failure = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_INTERRUPT);
        rusqlite::Error::SqliteFailure(failure, Some("interrupted".to_owned())).into()
    }
}

fn kind_of(error: &rusqlite::Error) -> SqliteErrorKind {
    let message = message_of(error);
    if limits::words(&message).is_some() {
        return SqliteErrorKind::Limit;
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => SqliteErrorKind::Constraint,
        Some(ErrorCode::AuthorizationForStatementDenied) => SqliteErrorKind::Denied,
        Some(ErrorCode::DiskFull | ErrorCode::OutOfMemory) => SqliteErrorKind::Full,
        Some(
            ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::NoLargeFileSupport,
        ) => SqliteErrorKind::Io,
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed,
        ) => SqliteErrorKind::Busy,
        Some(ErrorCode::OperationInterrupted) => SqliteErrorKind::Interrupted,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => SqliteErrorKind::Corrupt,
        _ if message.contains("integer overflow") => SqliteErrorKind::Overflow,
        // A function that the authorizer denies is reported as a plain error.
        _ if message.contains("not authorized") => SqliteErrorKind::Denied,
        _ => SqliteErrorKind::Other,
    }
}

/// Whether its source would say no more than "SQL logic error".
fn is_about_sql(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqlInputError { .. } => true,
        rusqlite::Error::SqliteFailure(code, _) => {
            code.extended_code == rusqlite::ffi::SQLITE_ERROR
        }
        _ => false,
    }
}

/// SQLite's message, without the error code that is printed beside it otherwise, and without the SQL,
/// which has a mark of ours.
fn message_of(error: &rusqlite::Error) -> Cow<'_, str> {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.into(),
        rusqlite::Error::SqlInputError { msg, .. } => msg.into(),
        other => other.to_string().into(),
    }
}

fn write_message(error: &rusqlite::Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let message = message_of(error);
    f.write_str(limits::words(&message).unwrap_or(&message))?;
    match error {
        rusqlite::Error::SqlInputError { offset: offset @ 0.., .. } => {
            write!(f, ", at offset {offset}")
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(extended_code: i32, message: Option<&str>) -> rusqlite::Error {
        let failure = rusqlite::ffi::Error::new(extended_code);
        rusqlite::Error::SqliteFailure(failure, message.map(str::to_owned))
    }

    #[test]
    fn no_message_contains_that_of_its_source() {
        let malformed = SqliteError::from(failure(11, Some("page 7 is malformed")));
        assert_eq!(malformed.to_string(), "page 7 is malformed");
        assert_eq!(malformed.kind(), SqliteErrorKind::Corrupt);
        let code = malformed.source().and_then(|source| source.downcast_ref());
        assert_eq!(code.map(|code: &rusqlite::ffi::Error| code.extended_code), Some(11));
        assert!(SqliteError::from(failure(11, None)).source().is_none());
        let full = SqliteError::from(failure(13, Some("database or disk is full")));
        assert!(full.source().is_none());
        let broken = std::io::Error::other("broken");
        let conversion = rusqlite::Error::ToSqlConversionFailure(Box::new(broken));
        assert!(SqliteError::from(conversion).source().is_none());
    }

    #[test]
    fn errors_are_equal_by_kind_and_message() {
        let full = || SqliteError::from(failure(13, Some("full")));
        assert_eq!(full(), full().clone());
        assert_ne!(full(), SqliteError::from(failure(13, Some("fuller"))));
        assert_ne!(full(), SqliteError::from(failure(10, Some("full"))));
    }
}
