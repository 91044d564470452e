//! Tokens that end, and users who have to log in again.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test, not an API"
)]

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use livestore::prelude::*;
use livestore::sync::{
    ConnectRequest, Connection, MessageSender, NetworkStatus, PayloadError, PayloadRequest,
    SyncBackend, SyncOptions,
};
use livestore_sync::{InProcess, NextPush};
use livestore_testing::sample::notes::{App, written};
use livestore_testing::{TIMEOUT, wait_until};

/// The login service: it has one token that is valid.
#[derive(Clone, Default)]
struct Login(Arc<AtomicUsize>);

impl Login {
    fn payload(&self) -> String {
        format!(r#"{{"authToken":"{}"}}"#, self.0.load(Ordering::Relaxed))
    }

    /// The valid token is another one now, and the backend knows.
    fn expire(&self, backend: &InProcess) {
        self.0.fetch_add(1, Ordering::Relaxed);
        self.guard(backend);
    }

    fn guard(&self, backend: &InProcess) {
        let login = self.clone();
        backend.authenticate(move |payload| match payload {
            Some(payload) if payload == login.payload() => Ok(()),
            _ => Err("the token has expired".to_owned()),
        });
    }
}

fn guarded() -> (InProcess, Login) {
    let (backend, login) = (InProcess::new(), Login::default());
    login.guard(&backend);
    (backend, login)
}

fn open(options: SyncOptions) -> Store<App> {
    Store::<App>::builder("notes").sync(options).open().unwrap()
}

/// Every status of a store from now on.
fn statuses(store: &Store<App>) -> (Arc<Mutex<Vec<NetworkStatus>>>, impl Sized) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let status = store.live_sync_status().unwrap();
    let guard = status.subscribe(move |status| noted.lock().unwrap().push(status.network.clone()));
    (seen, guard)
}

fn is_login_required(status: &NetworkStatus) -> bool {
    matches!(status, NetworkStatus::LoginRequired { reason } if reason == "the token has expired")
}

/// Sync goes on though its token ends again and again, and nobody is asked to log in.
fn goes_on(options: impl FnOnce(InProcess, Login) -> SyncOptions) {
    let (backend, login) = guarded();
    let store = open(options(backend.clone(), login.clone()));
    assert!(store.wait_synced(TIMEOUT).unwrap());
    let (seen, _guard) = statuses(&store);
    for n in 0..5 {
        login.expire(&backend);
        store.commit(written(n.to_string())).unwrap();
        assert!(store.wait_synced(TIMEOUT).unwrap());
    }
    assert_eq!(backend.events("notes").len(), 5);
    assert!(!seen.lock().unwrap().iter().any(is_login_required), "{seen:?}");
}

#[test]
fn a_function_renews_tokens() {
    goes_on(|backend, login| SyncOptions::new(backend).payload_with(move |_| Ok(login.payload())));
}

/// Without any runtime: the future is woken by another thread.
#[test]
fn an_asynchronous_function_renews_tokens() {
    goes_on(|backend, login| {
        SyncOptions::new(backend).payload_async(move |_| {
            let login = login.clone();
            async move {
                let (sender, answer) = channel();
                let mut is_asked = false;
                poll_fn(move |context| match answer.try_recv() {
                    Ok(payload) => Poll::Ready(Ok(payload)),
                    Err(_) => {
                        if !std::mem::replace(&mut is_asked, true) {
                            let (login, waker) = (login.clone(), context.waker().clone());
                            let sender = sender.clone();
                            std::thread::spawn(move || {
                                sender.send(login.payload()).unwrap();
                                waker.wake();
                            });
                        }
                        Poll::Pending
                    }
                })
                .await
            }
        })
    });
}

#[test]
fn a_function_learns_that_its_token_was_refused() {
    let (backend, login) = guarded();
    let cached = Mutex::new(login.payload());
    let (service, requests) = (login.clone(), Arc::new(Mutex::new(Vec::new())));
    let noted = Arc::clone(&requests);
    let store = open(SyncOptions::new(backend.clone()).payload_with(move |request| {
        let mut cached = cached.lock().unwrap();
        if request.refusal.is_some() {
            *cached = service.payload();
        }
        noted.lock().unwrap().push(request);
        Ok(cached.clone())
    }));
    assert!(store.wait_synced(TIMEOUT).unwrap());
    login.expire(&backend);
    store.commit(written("1")).unwrap();
    assert!(store.wait_synced(TIMEOUT).unwrap());
    backend.set_online(false);
    backend.set_online(true);
    store.commit(written("2")).unwrap();
    assert!(store.wait_synced(TIMEOUT).unwrap());
    let refusals: Vec<_> = requests.lock().unwrap().iter().map(|r| r.refusal.clone()).collect();
    let expired = Some("the token has expired".to_owned());
    assert_eq!(
        (refusals.first(), refusals.get(1), refusals.last()),
        (Some(&None), Some(&expired), Some(&None))
    );
}

#[test]
fn who_has_to_log_in_goes_on_without_opening_the_store_again() {
    let (backend, login) = guarded();
    let store = open(SyncOptions::new(backend.clone()).payload(login.payload()));
    assert!(store.wait_synced(TIMEOUT).unwrap());
    login.expire(&backend);
    store.commit(written("1")).unwrap();
    wait_until(|| is_login_required(&store.network_status().unwrap()));
    let status = store.sync_status().unwrap();
    assert!(status.next_attempt.is_some_and(|at| at > now()), "{status}");
    assert!(
        status.to_string().starts_with("login required: the token has expired (next"),
        "{status}"
    );
    assert_eq!(status.pending, 1);
    store.set_sync_payload(login.payload()).unwrap();
    assert!(store.wait_synced(TIMEOUT).unwrap());
    assert_eq!(backend.events("notes").len(), 1);
}

#[test]
fn an_app_says_itself_that_the_user_has_to_log_in() {
    let (backend, login) = guarded();
    let is_signed_in = Arc::new(AtomicUsize::new(0));
    let (signed_in, service) = (Arc::clone(&is_signed_in), login.clone());
    let store =
        open(SyncOptions::new(backend).payload_with(
            move |_| match signed_in.load(Ordering::Relaxed) {
                0 => Err(PayloadError::LoginRequired("the token has expired".to_owned())),
                _ => Ok(service.payload()),
            },
        ));
    wait_until(|| is_login_required(&store.network_status().unwrap()));
    is_signed_in.store(1, Ordering::Relaxed);
    store.reconnect_now();
    assert!(store.wait_synced(TIMEOUT).unwrap());
}

#[test]
fn sync_goes_on_after_the_app_failed_or_panicked_for_its_token() {
    fn next(calls: &AtomicUsize) -> Result<String, PayloadError> {
        match calls.fetch_add(1, Ordering::Relaxed) {
            0 => panic!("nobody is signed in"),
            1 => Err(std::io::Error::other("no network"))?,
            _ => Ok("1".to_owned()),
        }
    }
    let (now, later) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let function = SyncOptions::new(InProcess::new()).payload_with(move |_| next(&now));
    let asynchronous = SyncOptions::new(InProcess::new()).payload_async(move |_| {
        let later = Arc::clone(&later);
        async move { next(&later) }
    });
    for options in [function, asynchronous] {
        let store = open(options);
        for reason in ["nobody is signed in", "no network"] {
            wait_until(|| {
                let status = store.network_status().unwrap();
                matches!(&status, NetworkStatus::PayloadFailed { reason: r } if r.contains(reason))
            });
            store.reconnect_now();
        }
        assert!(store.wait_synced(TIMEOUT).unwrap());
    }
}

/// It is called once, the store works, another payload is used, and the store closes.
#[test]
fn a_function_that_never_returns_blocks_nothing() {
    let (backend, login) = guarded();
    let calls = Arc::new(AtomicUsize::new(0));
    let (counted, (_never, waits)) = (Arc::clone(&calls), channel::<()>());
    let waits = Mutex::new(waits);
    let store = open(SyncOptions::new(backend.clone()).payload_with(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        let _ = waits.lock().unwrap().recv();
        Err("the test has ended")?
    }));
    wait_until(|| calls.load(Ordering::Relaxed) == 1);
    assert_eq!(store.network_status().unwrap(), NetworkStatus::Connecting);
    for n in 0..3 {
        store.commit(written(n.to_string())).unwrap();
        store.pause_sync();
        wait_until(|| store.network_status().unwrap() == NetworkStatus::Paused);
        store.resume_sync();
    }
    store.set_sync_payload(login.payload()).unwrap();
    assert!(store.wait_synced(TIMEOUT).unwrap());
    assert_eq!((calls.load(Ordering::Relaxed), backend.events("notes").len()), (1, 3));
    store.close().unwrap();
}

/// A client that comes to another server at each connection.
#[derive(Debug)]
struct Balanced {
    servers: [InProcess; 2],
    connections: AtomicUsize,
}

impl SyncBackend for Balanced {
    fn connect(&self, request: ConnectRequest, messages: MessageSender) -> Box<dyn Connection> {
        let count = self.connections.fetch_add(1, Ordering::Relaxed);
        self.servers[count % 2].connect(request, messages)
    }
}

#[test]
fn a_server_whose_clock_is_an_hour_ahead_makes_nobody_log_in() {
    let (right, wrong) = (InProcess::new(), InProcess::new());
    wrong.authenticate(|_| Err("the token has expired".to_owned()));
    let servers = [right.clone(), wrong];
    let store = open(Balanced { servers, connections: AtomicUsize::new(0) }.into());
    assert!(store.wait_synced(TIMEOUT).unwrap());
    let (seen, _guard) = statuses(&store);
    for n in 0..4 {
        right.on_next_push(NextPush::Lose);
        store.commit(written(n.to_string())).unwrap();
        assert!(store.wait_synced(TIMEOUT).unwrap());
    }
    assert!(!seen.lock().unwrap().iter().any(is_login_required), "{seen:?}");
}

#[test]
fn a_function_may_be_an_item() {
    fn payload(_: PayloadRequest) -> Result<String, PayloadError> {
        Ok("{}".to_owned())
    }
    let store = open(SyncOptions::new(InProcess::new()).payload_with(payload));
    assert!(store.wait_synced(TIMEOUT).unwrap());
}
