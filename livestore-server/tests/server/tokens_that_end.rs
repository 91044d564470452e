//! Our client, whose tokens end while it is connected.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use livestore::prelude::*;
use livestore::sync::SyncOptions;
use livestore_server::Limits;
use livestore_server::auth::Jwt;
use livestore_sync::{Http, WebSocket};
use livestore_testing::sample::notes::{App, Note, written};
use livestore_testing::{TIMEOUT, wait_until};
use serde_json::json;

use crate::auth::sign;
use crate::client::TestServer;

const SECRET: &[u8] = b"a secret of the tests";

/// A token that is valid for this long.
fn payload(valid_for: Duration) -> String {
    let end = livestore::now().as_millis() as f64 / 1_000.0 + valid_for.as_secs_f64();
    let token = sign(&json!({"alg": "HS256"}), &json!({"exp": end, "stores": "*"}), SECRET);
    json!({ "authToken": token }).to_string()
}

/// The next token of a login service. Each is valid for a little longer, so that one outlives
/// connecting however slow the machine is.
fn next(calls: &AtomicU32) -> String {
    let count = calls.fetch_add(1, Ordering::Relaxed);
    payload(Duration::from_millis(300) + Duration::from_millis(100) * count)
}

/// Commits until the app was asked for so many tokens that most have ended. What is committed gets to
/// another client all the same.
async fn goes_on(
    options: impl FnOnce(&str, Arc<AtomicU32>) -> SyncOptions + Send + 'static,
    scheme: &'static str,
) {
    let jwt = Jwt::hs256(SECRET).leeway(Duration::ZERO);
    let server = TestServer::with(jwt, Limits::default()).await;
    let url = format!("{scheme}://{}", server.address);
    let work = move || {
        let calls = Arc::new(AtomicU32::new(0));
        let options = options(&url, Arc::clone(&calls));
        let store = Store::<App>::builder("s").client_id("a").sync(options).open().unwrap();
        let mut count = 0;
        wait_until(|| {
            store.commit(written(count.to_string())).unwrap();
            count += 1;
            assert!(store.wait_synced(TIMEOUT).unwrap());
            std::thread::sleep(Duration::from_millis(20));
            calls.load(Ordering::Relaxed) >= 5
        });
        assert!(store.wait_synced(TIMEOUT).unwrap());
        let forever = SyncOptions::new(WebSocket::new(url.replace("http", "ws")))
            .payload(payload(Duration::from_secs(3_600)));
        let other = Store::<App>::builder("s").client_id("b").sync(forever).open().unwrap();
        assert!(other.wait_synced(TIMEOUT).unwrap());
        assert_eq!(other.query(Note::all().count()).unwrap(), count);
    };
    tokio::task::spawn_blocking(work).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_a_websocket() {
    let options = |url: &str, calls: Arc<AtomicU32>| {
        SyncOptions::new(WebSocket::new(url)).payload_with(move |_| Ok(next(&calls)))
    };
    goes_on(options, "ws").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http() {
    let options = |url: &str, calls: Arc<AtomicU32>| {
        let http = Http::new(url).poll_every(Duration::from_millis(50));
        SyncOptions::new(http).payload_with(move |_| Ok(next(&calls)))
    };
    goes_on(options, "http").await;
}

/// What the app awaits may need tokio: it is there, with a runtime of the app's and without.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_an_asynchronous_function() {
    let next_later = |calls: &Arc<AtomicU32>| {
        let calls = Arc::clone(calls);
        async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(next(&calls))
        }
    };
    let own_thread = move |url: &str, calls: Arc<AtomicU32>| {
        SyncOptions::new(WebSocket::new(url)).payload_async(move |_| next_later(&calls))
    };
    goes_on(own_thread, "ws").await;
    let runtime = tokio::runtime::Handle::current();
    let on_runtime = move |url: &str, calls: Arc<AtomicU32>| {
        let websocket = WebSocket::new(url).runtime(runtime);
        SyncOptions::new(websocket).payload_async(move |_| next_later(&calls))
    };
    goes_on(on_runtime, "ws").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_was_refused_wants_a_login() {
    let server = TestServer::with(Jwt::hs256(SECRET), Limits::default()).await;
    for (scheme, is_http) in [("ws", false), ("http", true)] {
        let url = format!("{scheme}://{}", server.address);
        let work = move || {
            let options = match is_http {
                true => SyncOptions::new(Http::new(url)),
                false => SyncOptions::new(WebSocket::new(url)),
            };
            let wrong = options.payload(r#"{"authToken":"wrong"}"#);
            let store = Store::<App>::builder("s").client_id("c").sync(wrong).open().unwrap();
            store.commit(written("1")).unwrap();
            wait_until(|| {
                store.network_status().unwrap().to_string()
                    == "login required: the token is not valid"
            });
            store.set_sync_payload(payload(Duration::from_secs(3_600))).unwrap();
            assert!(store.wait_synced(TIMEOUT).unwrap());
        };
        tokio::task::spawn_blocking(work).await.unwrap();
    }
}
