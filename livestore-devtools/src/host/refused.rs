//! Why a call was not answered.

use livestore::store::{CommitError, HistoryError, ReadError};
use livestore::tools::CommitByNameError;
use livestore::{ErrorChain, SqliteError, SqliteErrorKind, eventlog::EventlogError};

use crate::protocol::{Refusal, RefusalCode};

/// A refusal on its way to the page.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) Refusal);

impl Refused {
    pub(super) fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self(Refusal { code, message: message.into() })
    }

    fn of(code: RefusalCode, error: &(dyn std::error::Error + 'static)) -> Self {
        Self::new(code, ErrorChain::new(error).to_string())
    }
}

impl From<HistoryError> for Refused {
    fn from(error: HistoryError) -> Self {
        let code = match &error {
            HistoryError::NoSuchEvent { .. } => RefusalCode::NotFound,
            _ => RefusalCode::Store,
        };
        Self::of(code, &error)
    }
}

impl From<ReadError> for Refused {
    fn from(error: ReadError) -> Self {
        Self::of(RefusalCode::Store, &error)
    }
}

impl From<EventlogError> for Refused {
    fn from(error: EventlogError) -> Self {
        Self::of(RefusalCode::Store, &error)
    }
}

impl From<SqliteError> for Refused {
    fn from(error: SqliteError) -> Self {
        match error.kind() {
            SqliteErrorKind::Interrupted => Self::new(RefusalCode::Cancelled, "cancelled"),
            SqliteErrorKind::Denied => {
                Self::new(RefusalCode::Sql, format!("{error}: the console only reads"))
            }
            _ => Self::of(RefusalCode::Sql, &error),
        }
    }
}

impl From<CommitByNameError> for Refused {
    fn from(error: CommitByNameError) -> Self {
        match &error {
            CommitByNameError::UnknownEvent { .. } => Self::of(RefusalCode::NotFound, &error),
            CommitByNameError::Commit(CommitError::Closed) => Self::of(RefusalCode::Store, &error),
            _ => Self::of(RefusalCode::Commit, &error),
        }
    }
}
