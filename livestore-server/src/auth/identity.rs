use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;

/// Who a client is: what whoever [authenticated](super::Authenticate) it knows of it. For a signed token,
/// these are its claims.
///
/// `Debug` omits the claims: they may be personal.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Identity(Option<Arc<str>>);

impl Identity {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self(None);

    /// Returns the identity with these claims: a JSON object.
    ///
    /// ```
    /// use livestore_server::auth::Identity;
    ///
    /// let identity = Identity::new(r#"{"sub":"alice","team":7}"#);
    /// assert_eq!(identity.claim::<String>("sub").as_deref(), Some("alice"));
    /// assert_eq!(identity.claim::<u32>("team"), Some(7));
    /// ```
    #[must_use]
    pub fn new(claims: &str) -> Self {
        Self(Some(claims.into()))
    }

    /// Returns all claims as JSON, if something is known.
    #[must_use]
    pub fn claims(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// Returns one claim, if there is one that is a `T`.
    #[must_use]
    pub fn claim<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let claims: serde_json::Value = serde_json::from_str(self.claims()?).ok()?;
        T::deserialize(claims.get(name)?).ok()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = if self.0.is_some() { "…" } else { "unknown" };
        f.debug_tuple("Identity").field(&format_args!("{known}")).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_what_it_is_asked_for_or_nothing() {
        let identity = Identity::new(r#"{"sub":"a","roles":["x","y"]}"#);
        assert_eq!(identity.claim::<String>("sub").as_deref(), Some("a"));
        assert_eq!(identity.claim::<Vec<String>>("roles").unwrap(), ["x", "y"]);
        assert_eq!(identity.claim::<u64>("sub"), None);
        assert_eq!(identity.claim::<String>("missing"), None);
        assert_eq!(Identity::UNKNOWN.claim::<String>("sub"), None);
        assert_eq!(Identity::new("no JSON").claim::<String>("sub"), None);
        assert!(!format!("{identity:?}").contains("roles"));
    }
}
