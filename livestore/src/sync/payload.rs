//! The payload: what an app sends to the backend with every connection, such as a token.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use livestore_protocol::Secret;
use serde::de::IgnoredAny;

use crate::edge::catch_panic;
use crate::error::{ErrorChain, panic_message};

/// A sync payload that is not JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the sync payload is not JSON: {problem}; put a bare token into an object, \
     such as {{\"authToken\":\"…\"}}"
)]
pub struct InvalidPayload {
    /// Where it stops being JSON. Never a part of the payload, which may be a secret.
    problem: String,
}

/// The payload of a store's next connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Payload(Arc<Mutex<Source>>);

#[derive(Clone, Default)]
enum Source {
    #[default]
    None,
    Fixed(String),
    Provided(Arc<Provide>),
}

type Provide = dyn Fn() -> Result<String, String> + Send + Sync;

impl Payload {
    /// This JSON, until it is replaced.
    pub(crate) fn fixed(json: String) -> Self {
        Self(Arc::new(Mutex::new(Source::Fixed(json))))
    }

    /// What `provide` returns, each time.
    pub(crate) fn provided<E: Into<Box<dyn Error + Send + Sync>>>(
        provide: impl Fn() -> Result<String, E> + Send + Sync + 'static,
    ) -> Self {
        let provide = move || {
            provide().map_err(|error| {
                let error: Box<dyn Error + Send + Sync> = error.into();
                ErrorChain::new(&*error).to_string()
            })
        };
        Self(Arc::new(Mutex::new(Source::Provided(Arc::new(provide)))))
    }

    /// Replaces it.
    pub(crate) fn set(&self, json: String) -> Result<(), InvalidPayload> {
        check_json(&json)?;
        *self.source() = Source::Fixed(json);
        Ok(())
    }

    /// Checks it as far as it is known.
    pub(crate) fn check(&self) -> Result<(), InvalidPayload> {
        match &*self.source() {
            Source::Fixed(json) => check_json(json),
            Source::None | Source::Provided(_) => Ok(()),
        }
    }

    /// Returns it; the app is asked for it, if it provides it. The error is for people.
    pub(crate) fn get(&self) -> Result<Option<Secret>, String> {
        let source = self.source().clone();
        match source {
            Source::None => Ok(None),
            Source::Fixed(json) => Ok(Some(Secret::from(json))),
            Source::Provided(provide) => {
                let provided = catch_panic(&*provide).unwrap_or_else(|panic| {
                    Err(format!("its function panicked: {}", panic_message(&*panic)))
                });
                let json =
                    provided.map_err(|error| format!("the app has no sync payload: {error}"))?;
                check_json(&json).map_err(|error| error.to_string())?;
                Ok(Some(Secret::from(json)))
            }
        }
    }

    fn source(&self) -> MutexGuard<'_, Source> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_json(json: &str) -> Result<(), InvalidPayload> {
    match serde_json::from_str::<IgnoredAny>(json) {
        Ok(_) => Ok(()),
        Err(error) => Err(InvalidPayload { problem: error.to_string() }),
    }
}

/// Without the payload, which is never logged.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Fixed(_) | Self::Provided(_) => "…",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_token_is_refused_and_not_shown() {
        for token in ["s3cret", "eyJhbGciOi.J9.x", "", "{\"authToken\":\"s3cret\"", "1 2"] {
            let error = Payload::fixed(token.into()).check().unwrap_err().to_string();
            assert!(error.contains("authToken") && !error.contains("s3cret"), "{error}");
            assert!(Payload::default().set(token.into()).is_err());
        }
        for json in ["{}", "7", "null", " [1] ", "\"s3cret\""] {
            assert_eq!(Payload::fixed(json.into()).check(), Ok(()));
        }
    }

    #[test]
    fn a_provider_is_asked_each_time() {
        let next = Mutex::new(vec!["no JSON", "2", "1"]);
        let payload = Payload::provided(move || {
            next.lock().unwrap().pop().map(str::to_owned).ok_or("signed out")
        });
        let get = || payload.get().map(|secret| secret.unwrap().as_str().to_owned());
        assert_eq!((get(), get()), (Ok("1".into()), Ok("2".into())));
        assert!(get().unwrap_err().contains("is not JSON"));
        assert_eq!(get(), Err("the app has no sync payload: signed out".into()));
        payload.set("3".into()).unwrap();
        assert_eq!(payload.get(), Ok(Some(Secret::from("3"))));
        assert_eq!(format!("{payload:?}").matches('3').count(), 0);
    }
}
