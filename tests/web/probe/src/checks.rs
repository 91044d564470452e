//! What a store does, wherever it is.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use livestore::prelude::*;
use livestore::store::OpenError;
use livestore::sync::{
    ConnectRequest, Connection, InitialSync, MessageSender, SyncBackend, SyncOptions,
};
use livestore_sync::InProcess;

#[table]
#[derive(Debug, PartialEq)]
pub(crate) struct Word {
    #[column(primary_key)]
    pub(crate) text: String,
}

#[derive(Event, Debug, Clone)]
#[event(name = "v1.WordSaid")]
pub(crate) struct WordSaid {
    pub(crate) text: String,
}

impl Materialize for WordSaid {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        state.insert(&Word { text: self.text.clone() })?;
        assert!(self.text != "unspeakable", "this word is not said");
        Ok(())
    }
}

livestore::schema! { pub(crate) App { tables: [Word], events: [WordSaid] } }

type Outcome = Result<(), Box<dyn std::error::Error>>;
type Check = Pin<Box<dyn Future<Output = Outcome>>>;

/// Runs all checks, and returns what failed.
pub(crate) async fn run() -> Vec<String> {
    let checks: [(&str, Check); 8] = [
        ("a commit whose materializer panics", Box::pin(materializer_panics())),
        ("a subscriber that panics", Box::pin(subscriber_panics())),
        ("a computed that panics", Box::pin(computed_panics())),
        ("two stores that sync", Box::pin(two_stores())),
        ("a token that panics", Box::pin(payload_panics())),
        ("a token that comes later", Box::pin(payload_comes_later())),
        ("an open that waits", Box::pin(open_waits())),
        ("a store in a page", Box::pin(in_a_page())),
    ];
    let mut failures = Vec::new();
    for (name, check) in checks {
        if let Err(error) = check.await {
            failures.push(format!("{name}: {error}"));
        }
    }
    failures
}

fn said(text: &str) -> WordSaid {
    WordSaid { text: text.to_owned() }
}

fn words(store: &Store<App>) -> Result<u64, Box<dyn std::error::Error>> {
    Ok(store.query(Word::all().count())?)
}

fn holds(is_so: bool, what: &str) -> Outcome {
    if is_so { Ok(()) } else { Err(what.into()) }
}

async fn materializer_panics() -> Outcome {
    let store = Store::<App>::builder("words").open()?;
    for _ in 0..3 {
        holds(store.commit(said("unspeakable")).is_err(), "it was accepted")?;
    }
    holds(words(&store)? == 0 && store.head()? == SeqNum::ROOT, "it left something behind")?;
    store.commit(said("hello"))?;
    holds(words(&store)? == 1, "the next one did not work")
}

async fn subscriber_panics() -> Outcome {
    let store = Store::<App>::builder("words").open()?;
    let live = store.live(Word::all().count())?;
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let _bad = live.subscribe(|_| panic!("a subscriber that panics"));
    let _good = live.subscribe(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    store.commit(said("one"))?;
    store.commit(said("two"))?;
    holds(calls.load(Ordering::Relaxed) == 2, "the other one was not called")?;
    holds(**live.get() == 2, "the live query stopped")
}

async fn computed_panics() -> Outcome {
    let store = Store::<App>::builder("words").open()?;
    let live = store.live(Word::all().count())?;
    let source = live.clone();
    let bad = computed(move |get| {
        assert!(**get.of(&source) != 1, "a computed that panics");
        0
    });
    let _guard = bad.subscribe(|_| {});
    store.commit(said("one"))?;
    store.commit(said("two"))?;
    holds(**live.get() == 2 && *bad.get() == 0, "it did not recover")
}

async fn two_stores() -> Outcome {
    let backend = InProcess::new();
    let open = |client: &str| {
        Store::<App>::builder("words").client_id(client).sync(backend.clone()).open()
    };
    let (one, two) = (open("one")?, open("two")?);
    one.commit(said("from one"))?;
    two.commit(said("from two"))?;
    one.synced().await?;
    two.synced().await?;
    let mut counts = one.live(Word::all().count())?.stream();
    while counts.next().await.is_some_and(|count| **count < 2) {}
    holds(one.state_hash()? == two.state_hash()?, "they differ")
}

async fn payload_panics() -> Outcome {
    let calls = AtomicUsize::new(0);
    let provide = move || match calls.fetch_add(1, Ordering::Relaxed) {
        0 => panic!("nobody is signed in"),
        _ => Ok("1".to_owned()),
    };
    let options = SyncOptions::new(InProcess::new()).payload_with(move |_| provide());
    let store = Store::<App>::builder("words").sync(options).open()?;
    // The store tries again by itself, after its deadline.
    Ok(store.synced().await?)
}

/// In a browser, what an app awaits is not `Send`.
async fn payload_comes_later() -> Outcome {
    let backend = InProcess::new();
    backend.authenticate(|payload| match payload {
        Some("7") => Ok(()),
        _ => Err("not this one".to_owned()),
    });
    let options = SyncOptions::new(backend).payload_async(async |_| {
        a_turn_later().await;
        Ok("7".to_owned())
    });
    let store = Store::<App>::builder("words").sync(options).open()?;
    Ok(store.synced().await?)
}

#[cfg(target_family = "wasm")]
async fn a_turn_later() {
    let promise = js_sys::Promise::resolve(&wasm_bindgen::JsValue::NULL);
    let _ = wasm_bindgen_futures::JsFuture::from(promise).await;
}

#[cfg(not(target_family = "wasm"))]
async fn a_turn_later() {}

/// A backend that never answers.
#[derive(Debug)]
struct Silent;

impl SyncBackend for Silent {
    fn connect(&self, _: ConnectRequest, _: MessageSender) -> Box<dyn Connection> {
        struct Nothing;
        impl Connection for Nothing {
            fn pull(&mut self, _: Option<livestore::sync::Cursor>) {}
            fn push(&mut self, _: Vec<livestore::sync::SyncEvent>, _: Option<String>) {}
        }
        Box::new(Nothing)
    }
}

async fn open_waits() -> Outcome {
    let builder = || {
        let initial = InitialSync::Wait(Duration::from_millis(50));
        Store::<App>::builder("words").sync(SyncOptions::new(Silent).initial(initial))
    };
    let store = builder().open_async().await?;
    holds(!store.sync_status()?.is_synced(), "nobody has answered")?;
    if cfg!(target_family = "wasm") {
        let refused = matches!(builder().open(), Err(OpenError::WouldBlock { .. }));
        holds(refused, "a page was blocked")?;
    }
    Ok(())
}

async fn in_a_page() -> Outcome {
    let open = || livestore_web::open(Store::<App>::builder("words"));
    let store = open().await?;
    let is_here = matches!(livestore_web::storage(&store), livestore_web::Storage::Browser);
    holds(is_here == cfg!(target_family = "wasm"), "it is elsewhere")?;
    if !is_here {
        return Ok(());
    }
    store.commit((said("hello"), said("world")))?;
    store.flushed().await?;
    let (client, head) = (store.client_id().to_owned(), store.head()?);
    drop(store);
    let store = open().await?;
    holds(words(&store)? == 2 && store.head()? == head, "it is not found again")?;
    holds(store.client_id() == client, "it is another client")?;
    store.commit(said("again"))?;
    livestore_web::load_history(&store).await?;
    let events: Vec<_> = store.events().into_iter().collect::<Result<_, _>>()?;
    holds(events.len() == 3, "it does not have all events")?;
    let then = store.state_at(SeqNum::new(1))?;
    holds(then.query(Word::all().count())? == 1, "the past was different")?;
    let usage = livestore_web::usage().await.ok_or("nothing is known of the storage")?;
    holds(usage.used > 0.0 && usage.quota > usage.used, "nothing is stored")
}

/// What this program's worker opens.
#[cfg(target_family = "wasm")]
pub(crate) fn builder(request: livestore_web::WorkerRequest) -> livestore::store::Builder<App> {
    let with_images = crate::images::builder_of(&request.page_url);
    with_images.unwrap_or_else(|| Store::<App>::builder(request.store_id))
}
