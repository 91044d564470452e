//! The parts that the errors of all layers share. The errors stand beside the operations that fail;
//! [`Error`](crate::Error), into which all of them widen, stands above the store.

use std::error::Error;
use std::fmt;

/// Why a store cannot be used at all: the faults that every operation of a store has. Each operation's
/// error has variants for them, which this becomes with `?`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unavailable {
    #[error("the store is closed; open it again")]
    Closed,
    #[error("a materializer used a store; use `state`, the argument of `materialize`, instead")]
    InMaterializer,
    #[error(
        "the store was used by code that it calls while it works, such as the `decode` of a column \
         type or a `tracing` subscriber; use it afterwards, or from another thread"
    )]
    Reentrant,
}

/// Gives errors with the variants of [`Unavailable`] the conversion from it.
macro_rules! unavailable_becomes {
    ($($error:ident)*) => {$(
        impl From<crate::error::Unavailable> for $error {
            fn from(error: crate::error::Unavailable) -> Self {
                match error {
                    crate::error::Unavailable::Closed => Self::Closed,
                    crate::error::Unavailable::InMaterializer => Self::InMaterializer,
                    crate::error::Unavailable::Reentrant => Self::Reentrant,
                }
            }
        }
    )*};
}

pub(crate) use unavailable_becomes;

/// An error and its causes in one line, for a log or a terminal: `outer: inner: innermost`.
///
/// No error's own message repeats that of its [source](Error::source). The standard library's `Report`,
/// which prints them together, is not stable yet.
///
/// ```
/// # use livestore::prelude::*;
/// # use livestore_testing::sample::todos::*;
/// # use livestore::ErrorChain;
/// # fn main() -> livestore::Result<()> {
/// # let store = Store::<App>::builder("todos").open()?;
/// let error = store.query(raw::<(i64,)>("SELECT 'two' AS n", ())).unwrap_err();
/// assert_eq!(
///     ErrorChain::new(&error).to_string(),
///     "column `n` has a value that does not fit: expected INTEGER, found TEXT",
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ErrorChain<'a>(&'a (dyn Error + 'static));

impl<'a> ErrorChain<'a> {
    /// The chain that begins with `error`.
    pub fn new(error: &'a (dyn Error + 'static)) -> Self {
        Self(error)
    }
}

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
