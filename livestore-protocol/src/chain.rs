use std::error::Error;
use std::fmt;

/// An error and its causes in one line, for a log or a terminal: `outer: inner: innermost`.
///
/// No error's own message repeats that of its [source](Error::source). The standard library's `Report`,
/// which prints them together, is not stable yet.
///
/// ```
/// # use livestore_protocol::ErrorChain;
/// #[derive(Debug, thiserror::Error)]
/// #[error("the port is not a number")]
/// struct PortError(#[from] std::num::ParseIntError);
///
/// let error = PortError::from("http".parse::<u16>().unwrap_err());
/// assert_eq!(
///     ErrorChain::new(&error).to_string(),
///     "the port is not a number: invalid digit found in string",
/// );
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
