//! The devtools: what they cost an app, and how fast they answer.

use std::ops::ControlFlow;
use std::time::Duration;

use livestore::prelude::*;
use livestore_devtools::host::{Conversation, Host};
use livestore_devtools::protocol::VERSION;
use livestore_devtools::{Options, serve_with};
use serde_json::{Value as Json, json};

use crate::Result;
use crate::app::{App, Created, TodoEvent};
use crate::harness::{Measured, compare, micros, quantile, time};

/// Commits per round.
const EVENTS: u32 = 1_000;

/// A difference of a percent needs many.
const ROUNDS: usize = 101;

/// Commits of a store whose devtools are served, and nobody looks: beside a store without.
pub(crate) fn idle() -> Result<Measured> {
    let (ours, floor) = (open()?, open()?);
    let devtools = serve_with(&ours, Options::default())?;
    let measured = in_turns(&ours, &floor);
    devtools.stop();
    measured
}

/// Commits of a store that a page watches: each is timed, and the page notified of it.
pub(crate) fn watched() -> Result<Measured> {
    let (ours, floor) = (open()?, open()?);
    let page = Page::of(&ours)?;
    page.ask("subscribe", json!({ "topics": ["status", "log", "activity"] }))?;
    in_turns(&ours, &floor)
}

fn open() -> Result<Store<App>> {
    Ok(Store::<App>::builder("bench").durability(Durability::Buffered).open()?)
}

fn in_turns(ours: &Store<App>, floor: &Store<App>) -> Result<Measured> {
    let (mut ours_next, mut floor_next) = ((0..).map(Created::nth), (0..).map(Created::nth));
    compare(ROUNDS, EVENTS, || commit(ours, &mut ours_next), || commit(floor, &mut floor_next))
}

fn commit(store: &Store<App>, next: &mut impl Iterator<Item = Created>) -> Result<Duration> {
    let events: Vec<TodoEvent> = next.take(EVENTS as usize).map(Into::into).collect();
    time(|| {
        for event in events {
            store.commit(event)?;
        }
        Ok(())
    })
}

/// The states at places all over 100,000 events, one after the other, as a slider asks for them: p95.
pub(crate) fn scrub() -> Result<Measured> {
    let store = with_events(100_000)?;
    let tools = store.tools();
    let timeline = tools.timeline();
    let prepared = time(|| Ok(timeline.prepare(|_| ControlFlow::Continue(()))?))?;
    let mut took = Vec::new();
    for n in 0..200_u64 {
        // A step forward, a step back, a jump.
        let seq = SeqNum::new(1 + n * 7_919 % 100_000);
        took.push(time(|| Ok(timeline.at(seq)?))?);
    }
    let median = micros(quantile(took.clone(), 0.5));
    Ok(Measured::alone(micros(quantile(took, 0.95)))
        .note(format!("p50 {median:.0} µs, prepared in {:.0} ms", micros(prepared) / 1e3)))
}

/// All that a page asks for before it shows a store with a million events.
pub(crate) fn first() -> Result<Measured> {
    let directory = tempfile::tempdir()?;
    let open = || Store::<App>::builder("bench").directory(directory.path()).open();
    fill(&open()?, 1_000_000)?;
    let store = open()?;
    let took = time(|| {
        let page = Page::of(&store)?;
        page.ask("subscribe", json!({ "topics": ["status", "log", "activity"] }))?;
        page.ask("schema", json!({}))?;
        page.ask("rows", json!({ "table": "todo", "offset": 0, "limit": 200 }))?;
        page.ask("events", json!({ "limit": 200 }))?;
        page.conversation.notifications();
        Ok(())
    })?;
    Ok(Measured::alone(micros(took)))
}

fn with_events(count: u64) -> Result<Store<App>> {
    let store = open()?;
    fill(&store, count)?;
    Ok(store)
}

fn fill(store: &Store<App>, count: u64) -> Result<()> {
    let mut events = (0..count).map(Created::nth).map(TodoEvent::from);
    loop {
        let batch: Vec<_> = events.by_ref().take(1_000).collect();
        if batch.is_empty() {
            return Ok(());
        }
        store.commit(batch)?;
    }
}

/// A page, without a browser.
struct Page {
    conversation: Conversation,
}

impl Page {
    fn of(store: &Store<App>) -> Result<Self> {
        let page = Self { conversation: Host::new(store).converse() };
        page.ask("hello", json!({ "version": VERSION }))?;
        Ok(page)
    }

    fn ask(&self, method: &str, params: Json) -> Result<Json> {
        let call = json!({ "id": 1, "method": method, "params": params }).to_string();
        let mut answer: Json = serde_json::from_str(&self.conversation.answer(&call))?;
        match answer.get_mut("result") {
            Some(result) => Ok(result.take()),
            None => Err(format!("{method} was refused: {answer}").into()),
        }
    }
}
