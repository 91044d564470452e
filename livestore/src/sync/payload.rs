//! The payload: what an app sends to the backend with every connection, such as a token.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use livestore_protocol::Secret;
use serde::de::IgnoredAny;

use super::SyncBackend;
use crate::edge::{self, catch_panic};
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

/// What the app's [function for the payload](super::SyncOptions::payload_with) is called with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PayloadRequest {
    /// The backend's reason, if it has refused the last payload: a token from a cache will not do.
    pub refusal: Option<String>,
}

/// The reason why an app has no payload now. Any error becomes [`Failed`](Self::Failed) by `?`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadError {
    /// Only the user can get another one, by logging in again. The reason is for people.
    LoginRequired(String),
    /// The attempt failed, and the next one may succeed. The reason is for people.
    Failed(String),
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for PayloadError {
    fn from(error: E) -> Self {
        let error: Box<dyn Error + Send + Sync> = error.into();
        Self::Failed(ErrorChain::new(&*error).to_string())
    }
}

impl PayloadError {
    /// The reason, for people.
    pub(crate) fn into_reason(self) -> String {
        match self {
            Self::LoginRequired(reason) | Self::Failed(reason) => {
                format!("the app has no payload: {reason}")
            }
        }
    }
}

/// The payload of a store's next connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Payload(Arc<Mutex<Source>>);

#[derive(Clone, Default)]
enum Source {
    #[default]
    None,
    Fixed(String),
    Function(Arc<dyn Fn(PayloadRequest) -> Provided + Send + Sync>),
    Async(Arc<dyn Fn(PayloadRequest) -> ProvidedLater + Send + Sync>),
}

/// What a function of the app's returns.
pub(crate) type Provided = Result<String, PayloadError>;

#[cfg(not(target_family = "wasm"))]
pub(crate) type ProvidedLater = Pin<Box<dyn Future<Output = Provided> + Send>>;
/// JavaScript's values stay on their thread.
#[cfg(target_family = "wasm")]
pub(crate) type ProvidedLater = Pin<Box<dyn Future<Output = Provided>>>;

/// The name of the thread that runs a function of the app's.
const THREAD: &str = "livestore-payload";

impl Payload {
    /// This JSON, until it is replaced.
    pub(crate) fn fixed(json: String) -> Self {
        Self::new(Source::Fixed(json))
    }

    /// What `provide` returns, each time.
    pub(crate) fn function(
        provide: impl Fn(PayloadRequest) -> Provided + Send + Sync + 'static,
    ) -> Self {
        Self::new(Source::Function(Arc::new(provide)))
    }

    /// What the future of `provide` returns, each time.
    pub(crate) fn asynchronous(
        provide: impl Fn(PayloadRequest) -> ProvidedLater + Send + Sync + 'static,
    ) -> Self {
        Self::new(Source::Async(Arc::new(provide)))
    }

    fn new(source: Source) -> Self {
        Self(Arc::new(Mutex::new(source)))
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
            Source::None | Source::Function(_) | Source::Async(_) => Ok(()),
        }
    }

    /// Returns the payload, or the function to [call](Provider::call) for it.
    pub(crate) fn get(&self) -> Result<Option<Secret>, Provider> {
        match self.source().clone() {
            Source::None => Ok(None),
            Source::Fixed(json) => Ok(Some(Secret::from(json))),
            function => Err(Provider(function)),
        }
    }

    fn source(&self) -> MutexGuard<'_, Source> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A function of the app's.
pub(crate) struct Provider(Source);

impl Provider {
    /// Calls the function, which may take its time, and then `reply`, once. An asynchronous one runs
    /// where the backend's connections do.
    pub(crate) fn call(
        self,
        request: PayloadRequest,
        backend: &dyn SyncBackend,
        reply: impl FnOnce(Result<Secret, PayloadError>) + Send + 'static,
    ) {
        let reply = Reply(Some(Box::new(reply)));
        match self.0 {
            Source::None | Source::Fixed(_) => {}
            Source::Function(provide) => edge::run_aside(THREAD, move || {
                reply.send(catch_panic(|| provide(request)));
            }),
            Source::Async(provide) => {
                let provided = CatchPanic(Box::pin(async move { provide(request).await }));
                spawn(backend, Box::pin(async move { reply.send(provided.await) }));
            }
        }
    }
}

#[cfg(not(target_family = "wasm"))]
fn spawn(backend: &dyn SyncBackend, task: super::Task) {
    if let Some(task) = backend.spawn(task) {
        edge::spawn(THREAD, task);
    }
}

#[cfg(target_family = "wasm")]
fn spawn(_: &dyn SyncBackend, task: Pin<Box<dyn Future<Output = ()>>>) {
    edge::spawn(THREAD, task);
}

type Caught<T> = Result<T, Box<dyn std::any::Any + Send>>;

/// Answers for a function of the app's, also for one whose thread or task has gone.
struct Reply(Option<Box<OnAnswer>>);

type OnAnswer = dyn FnOnce(Result<Secret, PayloadError>) + Send;

impl Reply {
    fn send(mut self, provided: Caught<Provided>) {
        let provided = provided.unwrap_or_else(|panic| {
            Err(format!("the app's function panicked: {}", panic_message(&*panic)).into())
        });
        let checked = provided.and_then(|json| match check_json(&json) {
            Ok(()) => Ok(Secret::from(json)),
            Err(error) => Err(error.into()),
        });
        if let Some(reply) = self.0.take() {
            reply(checked);
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if let Some(reply) = self.0.take() {
            reply(Err("the app's function was ended before it returned".into()));
        }
    }
}

/// A future of the app's, which may panic.
struct CatchPanic(ProvidedLater);

impl Future for CatchPanic {
    type Output = Caught<Provided>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match catch_panic(|| self.0.as_mut().poll(context)) {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
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
            Self::Fixed(_) | Self::Function(_) | Self::Async(_) => "…",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::super::{ConnectRequest, Connection, MessageSender};
    use super::*;

    #[derive(Debug)]
    struct NoBackend;

    impl SyncBackend for NoBackend {
        fn connect(&self, _: ConnectRequest, _: MessageSender) -> Box<dyn Connection> {
            unreachable!("only the payload is asked for")
        }
    }

    /// What the store gets.
    fn get(payload: &Payload) -> Result<Option<String>, PayloadError> {
        let (sender, answer) = channel();
        match payload.get() {
            Ok(known) => Ok(known),
            Err(provider) => {
                let reply = move |answer| sender.send(answer).unwrap();
                provider.call(PayloadRequest::default(), &NoBackend, reply);
                answer.recv().unwrap().map(Some)
            }
        }
        .map(|secret| secret.map(|secret| secret.as_str().to_owned()))
    }

    fn failed(reason: &str) -> Result<Option<String>, PayloadError> {
        Err(PayloadError::Failed(reason.into()))
    }

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

    fn next_of(answers: &Mutex<Vec<&str>>) -> Provided {
        let next = answers.lock().unwrap().pop();
        match next {
            Some("panic") => panic!("nobody is there"),
            Some(json) => Ok(json.to_owned()),
            None => Err("signed out")?,
        }
    }

    #[test]
    fn functions_are_asked_each_time() {
        let answers = || Mutex::new(vec!["panic", "no JSON", "2", "1"]);
        let (now, later) = (answers(), Arc::new(answers()));
        let function = Payload::function(move |_| next_of(&now));
        let asynchronous = Payload::asynchronous(move |_| {
            let later = Arc::clone(&later);
            Box::pin(async move { next_of(&later) })
        });
        for payload in [function, asynchronous] {
            assert_eq!(
                (get(&payload), get(&payload)),
                (Ok(Some("1".into())), Ok(Some("2".into())))
            );
            let error = get(&payload).unwrap_err();
            assert!(
                matches!(&error, PayloadError::Failed(reason) if reason.contains("is not JSON"))
            );
            assert_eq!(get(&payload), failed("the app's function panicked: nobody is there"));
            assert_eq!(get(&payload), failed("signed out"));
            payload.set("3".into()).unwrap();
            assert_eq!(get(&payload), Ok(Some("3".into())));
            assert_eq!(format!("{payload:?}").matches('3').count(), 0);
        }
    }

    /// A runtime that is shut down drops its tasks.
    #[test]
    fn a_task_that_is_dropped_is_answered_for() {
        #[derive(Debug)]
        struct ShutDown;
        impl SyncBackend for ShutDown {
            fn connect(&self, _: ConnectRequest, _: MessageSender) -> Box<dyn Connection> {
                unreachable!("only the payload is asked for")
            }
            fn spawn(&self, task: super::super::Task) -> Option<super::super::Task> {
                drop(task);
                None
            }
        }
        let payload = Payload::asynchronous(|_| Box::pin(std::future::pending()));
        let (sender, answer) = channel();
        let Err(provider) = payload.get() else { panic!("a function") };
        provider.call(PayloadRequest::default(), &ShutDown, move |a| sender.send(a).unwrap());
        assert!(matches!(answer.recv().unwrap(), Err(PayloadError::Failed(_))));
    }
}
