//! What every binding promises: the same tests, by the same names, in each of them. The page is Tauri's mock.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test, not an API"
)]
#![allow(clippy::disallowed_methods, reason = "a test has threads and files")]

#[path = "../../notified.rs"]
mod notified;
mod page;

use std::path::Path;
use std::sync::{Mutex, mpsc};

use livestore::prelude::*;
use livestore_testing::sample::items::{App, Item, ItemEvent, Screen, added};
use livestore_testing::wait_until;
use serde_json::{Value, json};

use crate::notified::Turn;
use crate::page::{Page, filled, live_count, open};

fn steps(message: &Value) -> Vec<String> {
    let steps = message["steps"].as_array().unwrap();
    steps.iter().map(|step| format!("{} {}", step[0].as_str().unwrap(), step[1])).collect()
}

/// The messages are what the tests of the npm package apply to a list.
#[test]
fn rows_are_inserted_updated_moved_and_removed() {
    let store = filled(2);
    let page = Page::open(&store);
    page.live("items", json!({ "onlyOpen": false }), 1);
    let events = [
        ItemEvent::Added { id: 9, title: "new".into(), place: 0 },
        ItemEvent::Renamed { id: 2, title: "second".into() },
        ItemEvent::Moved { id: 9, place: 7 },
        ItemEvent::Removed { id: 2 },
    ];
    let mut story = Vec::new();
    for event in [None].into_iter().chain(events.map(Some)) {
        store.commit(event).unwrap();
        let message = page.wait_for(1, story.len());
        let rows = store.query(Item::all().order_by(Item::PLACE.asc())).unwrap();
        story.push(json!({ "steps": message["steps"], "rows": rows }));
    }
    assert_eq!(steps(&story[1]), ["insert 0"]);
    assert_eq!(steps(&story[2]), ["update 2"]);
    // The place is one of the columns: the row moves, and has changed.
    assert_eq!(steps(&story[3]), ["move 0", "update 2"]);
    assert_eq!(steps(&story[4]), ["remove 1"]);

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("guest-js/test/messages.json");
    let text = serde_json::to_string_pretty(&story).unwrap() + "\n";
    if std::env::var("LIVESTORE_SCHEMA").is_ok_and(|mode| mode == "accept") {
        std::fs::write(&file, &text).unwrap();
    }
    assert!(std::fs::read_to_string(&file).unwrap() == text, "{} is outdated", file.display());
}

#[test]
fn a_value_is_updated() {
    let store = filled(2);
    let page = Page::open(&store);
    page.live("open", Value::Null, 1);
    assert_eq!(page.wait_for(1, 0), json!({ "value": 2 }));
    store.commit(ItemEvent::Done { id: 1 }).unwrap();
    assert_eq!(page.wait_for(1, 1), json!({ "value": 1 }));
    assert_eq!(page.call("query", json!({ "query": "open", "params": null })), Ok(json!(1)));
    page.live("item", json!(7), 2);
    assert_eq!(page.wait_for(2, 0), json!({ "value": null }));
}

#[test]
fn of_100_000_rows_only_the_changed_one_is_drawn() {
    let store = filled(100_000);
    let page = Page::open(&store);
    page.live("items", json!({ "onlyOpen": false }), 1);
    assert_eq!(page.wait_for(1, 0)["steps"][0][1].as_array().unwrap().len(), 100_000);
    store.commit(ItemEvent::Renamed { id: 50_000, title: "far away".into() }).unwrap();
    let row = json!({ "id": 50_000, "title": "far away", "place": 50_000, "done": false });
    assert_eq!(page.wait_for(1, 1), json!({ "steps": [["update", 49_999, row]] }));
}

#[test]
#[ignore = "a bench: cargo xtask screens --bench"]
fn notified_as_fast_as_a_plain_subscriber() {
    let store = notified::store();
    let (sender, messages) = mpsc::channel();
    let sender = Mutex::new(sender);
    let page = Page::open_with(&store, move |_, _| sender.lock().unwrap().send(()).unwrap());
    page.live("items", json!({ "onlyOpen": false }), 1);
    messages.recv().unwrap();
    let measured = notified::measure("tauri", async |turn| {
        if let Turn::Commit(event) = turn {
            store.commit(event).unwrap();
            messages.recv().unwrap();
        }
    });
    futures_executor::block_on(measured);
}

#[test]
fn parameters_of_a_query_change() {
    let store = filled(3);
    let page = Page::open(&store);
    let all = page.live("items", json!({ "onlyOpen": false }), 1);
    page.wait_for(1, 0);
    page.live("items", json!({ "onlyOpen": true }), 2);
    page.end(all);
    page.wait_for(2, 0);
    wait_until(|| live_count(&store) == 1);
    store.commit(ItemEvent::Done { id: 2 }).unwrap();
    assert_eq!(steps(&page.wait_for(2, 1)), ["remove 1"]);
    assert_eq!(page.count(1), 1, "nothing more is sent");
}

#[test]
fn unmounting_frees_the_query() {
    let store = filled(3);
    let page = Page::open(&store);
    let items = page.live("items", json!({ "onlyOpen": false }), 1);
    let open = page.live("open", Value::Null, 2);
    page.wait_for(1, 0);
    page.wait_for(2, 0);
    assert_eq!(live_count(&store), 2);
    page.end(items);
    wait_until(|| live_count(&store) == 1);
    page.end(open);
    wait_until(|| live_count(&store) == 0);
}

/// What is stopped at once may not have begun.
#[test]
fn what_ends_before_the_query_has_run_is_never_kept() {
    let store = filled(1_000);
    let page = Page::open(&store);
    for channel in 0..50 {
        let items = page.live("items", json!({ "onlyOpen": false }), channel);
        page.end(items);
    }
    wait_until(|| live_count(&store) == 0);
    store.commit(added(1_001)).unwrap();
}

#[test]
fn what_a_page_shows_ends_when_it_is_reloaded() {
    let store = filled(3);
    let page = Page::open(&store);
    page.begin("before").unwrap();
    page.live_in(Some("before"), "items", json!({ "onlyOpen": false }), 1).unwrap();
    page.live_in(None, "open", Value::Null, 2).unwrap();
    page.wait_for(1, 0);
    page.wait_for(2, 0);
    page.begin("after").unwrap();
    assert_eq!(live_count(&store), 0, "with what its frames show");

    // A command of the page before may be late.
    let late = page.live_in(Some("before"), "open", Value::Null, 3).unwrap_err();
    assert_eq!(late["kind"], "pageGone");
    page.live_in(Some("after"), "open", Value::Null, 4).unwrap();
    assert_eq!(page.wait_for(4, 0), json!({ "value": 3 }));
    page.begin("after").unwrap();
    assert_eq!(live_count(&store), 1);
}

#[test]
fn what_a_page_shows_ends_with_the_app() {
    let store = filled(3);
    let page = Page::open(&store);
    page.live("items", json!({ "onlyOpen": false }), 1);
    page.wait_for(1, 0);
    page.exit();
    assert!(matches!(store.commit(added(4)), Err(CommitError::Closed)), "the store is closed");
}

#[test]
fn a_window_cannot_end_what_another_one_shows() {
    let store = filled(1);
    let page = Page::open(&store);
    let other = page.window("other");
    let open = page.live("open", Value::Null, 1);
    other.live("open", Value::Null, 2);
    page.wait_for(1, 0);
    other.wait_for(2, 0);
    other.end(open);
    other.begin("its").unwrap();
    store.commit(added(2)).unwrap();
    assert_eq!(page.wait_for(1, 1), json!({ "value": 2 }));
    assert_eq!(other.count(2), 1);
    assert_eq!(live_count(&store), 1);
}

#[test]
fn the_error_of_a_query_is_shown() {
    let store = filled(1);
    let page = Page::open(&store);
    page.live("broken", Value::Null, 1);
    page.live("broken_count", Value::Null, 2);
    page.wait_for(1, 0);
    page.wait_for(2, 0);
    store.commit(ItemEvent::Moved { id: 1, place: 7 }).unwrap();
    for channel in [1, 2] {
        let error = &page.wait_for(channel, 1)["error"];
        assert_eq!(error["kind"], "query");
        assert!(error["message"].as_str().unwrap().contains("place"), "{error}");
    }
    store.commit(ItemEvent::Moved { id: 1, place: 8 }).unwrap();
    assert_eq!(page.wait_for(1, 2)["error"], Value::Null);
    assert_eq!(page.wait_for(2, 2), json!({ "value": 8 }));

    // A query that fails at once is not live.
    store.commit(ItemEvent::Moved { id: 1, place: 7 }).unwrap();
    page.live("broken", Value::Null, 3);
    let message = page.wait_for(3, 0);
    assert_eq!(message["error"]["kind"], "query");
    assert_eq!(message["steps"], Value::Null);
    store.commit(ItemEvent::Moved { id: 1, place: 8 }).unwrap();
    assert_eq!(page.count(3), 1);
}

#[test]
fn a_mistake_of_the_page_is_an_error_with_a_kind() {
    let store = filled(1);
    let page = Page::open(&store);
    let kind = |command: &str, args| page.call(command, args).unwrap_err()["kind"].clone();
    let commit = |name: &str, args| json!({ "events": [{ "name": name, "args": args }] });
    assert_eq!(kind("query", json!({ "query": "itmes", "params": null })), "unknownQuery");
    assert_eq!(kind("query", json!({ "query": "items", "params": 7 })), "params");
    assert_eq!(kind("commit", commit("v1.ItemAded", json!({}))), "unknownEvent");
    assert_eq!(kind("commit", commit("v1.ItemDone", json!({ "id": "x" }))), "args");
    let twice = json!({ "id": 1, "title": "again", "place": 1 });
    assert_eq!(kind("commit", commit("v1.ItemAdded", twice)), "commit");
    let set = |fields| json!({ "document": "Screen", "fields": fields });
    assert_eq!(kind("set_document", set(json!({ "drafts": "" }))), "fields");
    assert_eq!(kind("set_document", set(json!({ "draft": 7 }))), "fields");
    assert_eq!(kind("set_document", json!({ "document": "S", "fields": {} })), "unknownDocument");
    page.live("items", json!(7), 1);
    assert_eq!(page.wait_for(1, 0)["error"]["kind"], "params");
    assert_eq!(live_count(&store), 0);
}

#[test]
fn a_panic_in_a_component_harms_nothing() {
    let store = filled(2);
    let page = Page::open(&store);
    page.live("panics", Value::Null, 1);
    let error = &page.wait_for(1, 0)["error"];
    assert_eq!(
        (&error["kind"], &error["message"]),
        (&json!("panic"), &json!("the app's code panicked: the app's own mistake"))
    );
    let read = page.call("query", json!({ "query": "panics", "params": null }));
    assert_eq!(read.unwrap_err()["kind"], "panic");
    page.live("open", Value::Null, 2);
    assert_eq!(page.wait_for(2, 0), json!({ "value": 2 }));
    store.commit(added(3)).unwrap();
    assert_eq!(page.wait_for(2, 1), json!({ "value": 3 }));
}

#[test]
fn a_client_document_is_read_and_written() {
    let store = open();
    let page = Page::open(&store);
    page.live("Screen", Value::Null, 1);
    assert_eq!(page.wait_for(1, 0), json!({ "value": { "draft": "", "only_open": false } }));
    let before = store.head().unwrap();
    let set = json!({ "document": "Screen", "fields": { "only_open": true } });
    page.call("set_document", set.clone()).unwrap();
    page.call("set_document", set).unwrap();
    assert_eq!(store.events().after(before).into_iter().count(), 1, "one edit is one event");
    store.commit(Screen::set().draft("milk")).unwrap();
    assert_eq!(page.wait_for(1, 2), json!({ "value": { "draft": "milk", "only_open": true } }));
    let set = Screen { draft: "milk".into(), only_open: true };
    assert_eq!(store.query(Screen::get()).unwrap(), set);
}

/// Events of a page are the store's own: a receipt, undo and sync take them as such.
#[test]
fn a_page_commits_events_as_one_commit() {
    let store = open();
    let page = Page::open(&store);
    let item =
        |id: i64| json!({ "name": "v1.ItemAdded", "args": { "id": id, "title": "", "place": id } });
    let committed = page.call("commit", json!({ "events": [item(1), item(2)] }));
    assert_eq!(committed, Ok(json!(["e1", "e2"])));
    let refused = page.call("commit", json!({ "events": [item(3), item(1)] }));
    assert_eq!(refused.unwrap_err()["kind"], "commit");
    assert_eq!(store.query(Item::all().count()).unwrap(), 2);
    let events: Vec<_> = store.events().into_iter().map(Result::unwrap).collect();
    assert!(events.iter().all(|event| *event.session_id == *store.session_id()));
    assert!(events[1].continues);
}

#[test]
fn what_another_thread_commits_arrives() {
    let store = filled(1);
    let page = Page::open(&store);
    page.live("items", json!({ "onlyOpen": false }), 1);
    page.wait_for(1, 0);
    let other = store.clone();
    std::thread::spawn(move || other.commit(added(2)).unwrap()).join().unwrap();
    assert_eq!(steps(&page.wait_for(1, 1)), ["insert 1"]);
}

/// A page may commit as soon as it gets a message: here even before the message is sent.
#[test]
fn a_component_commits_while_it_is_drawn() {
    let store = filled(1);
    let committing = store.clone();
    let page = Page::open_with(&store, move |_, message| {
        if let Some(open) = message["value"].as_i64().filter(|open| *open < 3) {
            committing.commit(added(open + 1)).unwrap();
        }
    });
    page.live("open", Value::Null, 1);
    assert_eq!(page.wait_for(1, 2), json!({ "value": 3 }));
}

#[test]
fn how_far_the_store_is_synced_is_shown() {
    let store = open();
    let page = Page::open(&store);
    page.live("sync_status", Value::Null, 1);
    let status = &page.wait_for(1, 0)["value"];
    assert_eq!((&status["network"], &status["pending"]), (&json!("none"), &json!(0)));
}

#[test]
fn a_window_needs_the_permission() {
    let store = open();
    let page = Page::without_permissions(&store);
    let answer = page.call("query", json!({ "query": "open", "params": null }));
    assert!(answer.unwrap_err().as_str().unwrap().contains("not allowed"));
}

#[test]
#[should_panic(expected = "two queries have the name \"open\"")]
fn a_name_is_given_once() {
    let count = |()| Item::all().count();
    let _ = tauri_plugin_livestore::Builder::<App>::new(open())
        .value("open", count)
        .value("open", count);
}
