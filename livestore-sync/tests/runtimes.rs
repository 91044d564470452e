//! Waiting for the first sync, or the next, on tokio's runtimes.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test, not an API"
)]

use std::time::{Duration, Instant};

use livestore::prelude::*;
use livestore::store::ReadError;
use livestore::sync::{InitialSync, SyncOptions};
use livestore_sync::{Http, InProcess, WebSocket};
use livestore_testing::TIMEOUT;
use livestore_testing::sample::notes::{App, Note, added};
use tokio::runtime::{Builder, Handle, Runtime};

/// Nobody listens there.
const URL: &str = "127.0.0.1:9";

fn options(runtime: &Handle, wait: Duration) -> [SyncOptions; 2] {
    let web_socket = WebSocket::new(format!("ws://{URL}")).runtime(runtime.clone());
    let http = Http::new(format!("http://{URL}")).runtime(runtime.clone());
    [SyncOptions::new(web_socket), SyncOptions::new(http)]
        .map(|options| options.initial(InitialSync::Wait(wait)))
}

fn store(options: SyncOptions) -> livestore::store::Builder<App> {
    Store::<App>::builder("notes").sync(options)
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Waiting there would take all of it.
const LONG: Duration = Duration::from_secs(3_600);

fn assert_refused_at_once(runtime: &Runtime) {
    runtime.block_on(async {
        for options in options(&Handle::current(), LONG) {
            let start = Instant::now();
            let error = store(options.clone()).open().unwrap_err();
            assert!(matches!(error, OpenError::WouldBlock { .. }), "{error:?}");
            let text = error.to_string();
            assert!(text.contains("only thread") && text.contains("open_async"), "{text}");
            let store = store(options.initial(InitialSync::Background)).open().unwrap();
            let error = store.wait_synced(LONG).unwrap_err();
            assert!(matches!(error, ReadError::WouldBlock { .. }), "{error:?}");
            assert!(error.to_string().contains("synced().await"), "{error}");
            assert!(start.elapsed() < LONG / 60);
        }
    });
}

#[test]
fn the_only_thread_of_a_runtime_must_not_wait_for_itself() {
    assert_refused_at_once(&current_thread());
}

#[test]
fn the_only_worker_of_a_runtime_must_not_wait_for_itself() {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let task = runtime.spawn(async {
        let [options, _] = options(&Handle::current(), LONG);
        store(options).open().map(drop)
    });
    let error = runtime.block_on(task).unwrap().unwrap_err();
    assert!(matches!(error, OpenError::WouldBlock { .. }), "{error:?}");
}

#[test]
fn other_threads_may_wait() {
    let wait = Duration::from_millis(20);
    let current = current_thread();
    let [on_it, _] = options(current.handle(), wait);
    let blocking = current.spawn_blocking(move || store(on_it).open().unwrap().wait_synced(wait));
    assert_eq!(current.block_on(blocking).unwrap(), Ok(false));

    let several = Runtime::new().unwrap();
    let [on_several, _] = options(several.handle(), wait);
    let waited = several.block_on(async { store(on_several).open().unwrap().wait_synced(wait) });
    assert_eq!(waited, Ok(false));

    // A thread of its own, whatever runtime it is called on.
    let own = SyncOptions::new(WebSocket::new(format!("ws://{URL}")));
    let waited = current.block_on(async { store(own).open().unwrap().wait_synced(wait) });
    assert_eq!(waited, Ok(false));
}

#[test]
fn a_task_waits_until_the_store_is_synced() {
    let backend = InProcess::new();
    let options = SyncOptions::new(backend.clone()).initial(InitialSync::Wait(TIMEOUT));
    current_thread().block_on(async {
        let a = store(options.clone()).client_id("a").open_async().await.unwrap();
        assert!(a.sync_status().unwrap().is_synced());
        a.commit([added("1"), added("2")]).unwrap();
        a.synced().await.unwrap();
        assert_eq!(backend.events("notes").len(), 2);
        let b = store(options).client_id("b").open_async().await.unwrap();
        assert_eq!(b.query(Note::all().count()).unwrap(), 2);
        let alone = Store::<App>::builder("alone").open_async().await.unwrap();
        alone.synced().await.unwrap();
    });
}

#[test]
fn an_open_that_waits_in_a_task_gives_up_in_time() {
    current_thread().block_on(async {
        for options in options(&Handle::current(), Duration::from_millis(20)) {
            let store = store(options).open_async().await.unwrap();
            assert!(!store.sync_status().unwrap().is_synced());
            store.commit(added("1")).unwrap();
        }
    });
}

#[test]
fn a_task_that_waits_is_woken_when_the_store_is_closed() {
    let store = store(SyncOptions::new(InProcess::new()).start_paused()).open().unwrap();
    store.commit(added("1")).unwrap();
    let waiting = store.synced();
    let closing = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        store.close()
    });
    assert_eq!(current_thread().block_on(waiting), Err(ReadError::Closed));
    closing.join().unwrap().unwrap();
}

#[test]
fn times_may_be_as_long_or_as_short_as_there_are() {
    for time in [Duration::ZERO, Duration::MAX] {
        let web_socket =
            WebSocket::new(format!("ws://{URL}")).connect_timeout(time).ping_every(time);
        let http = Http::new(format!("http://{URL}"));
        let http = http.connect_timeout(time).poll_every(time).timeout(time);
        for options in [SyncOptions::new(web_socket), SyncOptions::new(http)] {
            let options = options.initial(InitialSync::Wait(Duration::from_millis(50)));
            let store = store(options).open().unwrap();
            assert!(!store.sync_status().unwrap().is_synced());
        }
    }
}

#[test]
fn a_wait_beyond_all_time_ends_with_the_sync() {
    let store = store(SyncOptions::new(InProcess::new())).open().unwrap();
    store.commit(added("1")).unwrap();
    assert_eq!(store.wait_synced(Duration::MAX), Ok(true));
    let options = SyncOptions::new(InProcess::new()).initial(InitialSync::Wait(Duration::MAX));
    Store::<App>::builder("notes").sync(options.clone()).open().unwrap();
    current_thread().block_on(Store::<App>::builder("notes").sync(options).open_async()).unwrap();
}
