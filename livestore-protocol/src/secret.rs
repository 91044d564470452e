use std::fmt;

/// A text that is never logged: `Debug` prints `…` instead.
///
/// ```
/// use livestore_protocol::Secret;
///
/// let token = Secret::from(r#"{"authToken":"s3cret"}"#);
/// assert_eq!(format!("{token:?}"), "…");
/// assert_eq!(token.as_str(), r#"{"authToken":"s3cret"}"#);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Secret {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}
