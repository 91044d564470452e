//! How fast a store is in a page, beside the same SQLite without it.

use std::cell::RefCell;

use js_sys::{Function, Promise, Reflect, global};
use livestore::prelude::*;
use rusqlite::Connection;
use serde_json::{Value, json};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::checks::{App, Word, WordSaid};

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// The number of rows that the store has.
const ROWS: usize = 100_000;

/// The number of events of a commit that fills it.
const BATCH: usize = 100;

/// The number of commits that are flushed together.
const DURABLE: usize = 1_000;

/// The number of commits that are measured.
const COMMITS: usize = 5_000;

/// The number of commits that are timed together: a page's clock does not count microseconds.
const GROUP: usize = 250;

/// Measures everything; times are in milliseconds.
pub(crate) async fn run() -> Value {
    outcome(measure().await)
}

fn outcome(measured: Result<Value>) -> Value {
    measured.unwrap_or_else(|error| json!({ "failed": error.to_string() }))
}

async fn open() -> Result<Store<App>> {
    Ok(livestore_web::open(Store::<App>::builder("bench")).await?)
}

async fn measure() -> Result<Value> {
    let store = open().await?;
    for n in 0..ROWS / BATCH {
        let said = |m| WordSaid { text: format!("word {n} {m}") };
        store.commit((0..BATCH).map(said).collect::<Vec<_>>())?;
        if n % 10 == 9 {
            store.flushed().await?;
        }
    }
    let floor = floor()?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for n in 0..COMMITS / GROUP {
        let said = |m| WordSaid { text: format!("single {n} {m}") };
        ours.push(time(|| (0..GROUP).try_for_each(|m| store.commit(said(m)).map(drop)))?);
        theirs.push(time(|| (0..GROUP).try_for_each(|m| insert(&floor, &said(m).text)))?);
        store.flushed().await?;
    }
    let start = now_millis();
    for n in 0..DURABLE {
        store.commit(WordSaid { text: format!("durable {n}") })?;
    }
    store.flushed().await?;
    let durable = now_millis() - start;
    drop(store);
    let start = now_millis();
    let store = open().await?;
    let opened = now_millis() - start;
    assert!(
        store.query(Word::all().count())? as usize == ROWS + COMMITS + DURABLE,
        "rows are missing"
    );
    Ok(json!({
        "commit": median(ours) / GROUP as f64, "floor": median(theirs) / GROUP as f64, "durable": durable, "open": opened,
        "commits": DURABLE, "rows": ROWS,
    }))
}

/// Measures how long this many commits of another tab take to get here.
pub(crate) async fn listen(count: usize) -> Value {
    outcome(measure_latency(count).await)
}

async fn measure_latency(count: usize) -> Result<Value> {
    let store = open().await?;
    // The other words come after it.
    let newest = Word::all().filter(Word::TEXT.lt("b")).order_by(Word::TEXT.desc()).limit(1);
    let live = store.live(newest)?;
    let _guard = live.subscribe(move |words| {
        let sent = words.iter().next().and_then(|word| word.text.strip_prefix("at ")?.parse().ok());
        if let Some(sent) = sent.map(|sent: f64| absolute_millis() - sent) {
            LATENCIES.with(|latencies| latencies.borrow_mut().push(sent));
        }
    });
    while LATENCIES.with(|latencies| latencies.borrow().len()) < count {
        pause(10).await;
    }
    let mut latencies = LATENCIES.with(|latencies| latencies.take());
    latencies.sort_by(f64::total_cmp);
    let at = |part: usize| latencies.get(latencies.len() * part / 100).copied().unwrap_or_default();
    Ok(json!({ "p50": at(50), "p99": at(99) }))
}

thread_local! {
    static LATENCIES: RefCell<Vec<f64>> = const { RefCell::new(Vec::new()) };
}

/// Commits once every 30 ms or so, with the time.
pub(crate) async fn send(count: usize) -> Value {
    outcome(commit_slowly(count).await)
}

async fn commit_slowly(count: usize) -> Result<Value> {
    let store = open().await?;
    for _ in 0..count {
        store.commit(WordSaid { text: format!("at {}", absolute_millis()) })?;
        pause(30).await;
    }
    store.flushed().await?;
    Ok(json!({ "sent": count }))
}

fn floor() -> Result<Connection> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch("CREATE TABLE word (text TEXT PRIMARY KEY NOT NULL) STRICT; BEGIN")?;
    for n in 0..ROWS {
        insert(&connection, &format!("word {} {}", n / BATCH, n % BATCH))?;
    }
    connection.execute_batch("COMMIT")?;
    Ok(connection)
}

fn insert(connection: &Connection, text: &str) -> Result<(), rusqlite::Error> {
    connection.prepare_cached("INSERT INTO word VALUES (?)")?.execute([text]).map(drop)
}

fn time<E>(work: impl FnOnce() -> Result<(), E>) -> Result<f64, E> {
    let start = now_millis();
    work()?;
    Ok(now_millis() - start)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn performance() -> JsValue {
    Reflect::get(&global(), &"performance".into()).unwrap_or(JsValue::UNDEFINED)
}

fn now_millis() -> f64 {
    let performance = performance();
    let now = Reflect::get(&performance, &"now".into()).ok();
    let now = now.and_then(|now| now.dyn_into::<Function>().ok());
    now.and_then(|now| now.call0(&performance).ok()?.as_f64()).unwrap_or_default()
}

/// By a clock that all tabs have.
fn absolute_millis() -> f64 {
    let origin = Reflect::get(&performance(), &"timeOrigin".into()).ok();
    origin.and_then(|origin| origin.as_f64()).unwrap_or_default() + now_millis()
}

async fn pause(millis: u32) {
    let promise = Promise::new(&mut |resolve, _| {
        let set_timeout = Reflect::get(&global(), &"setTimeout".into()).ok();
        if let Some(set_timeout) = set_timeout.and_then(|it| it.dyn_into::<Function>().ok()) {
            let _ = set_timeout.call2(&JsValue::UNDEFINED, &resolve, &millis.into());
        }
    });
    let _ = JsFuture::from(promise).await;
}
