//! What every binding promises: the same tests, by the same names, in each of them.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test, not an API"
)]
#![allow(clippy::disallowed_methods, reason = "a test has threads")]

#[path = "../../notified.rs"]
mod notified;

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use livestore::prelude::*;
use livestore_egui::{Live, LiveBy, LiveDocument, LiveList};
use livestore_testing::sample::items::{App, Item, ItemEvent, Screen, added};

use crate::notified::Turn;

fn open() -> Store<App> {
    Store::builder("items").open().unwrap()
}

fn filled(last: i64) -> Store<App> {
    let store = open();
    store.commit(ItemEvent::Filled { last }).unwrap();
    store
}

fn all(store: &Store<App>) -> LiveList<Item> {
    LiveList::new(store.live(Item::all().order_by(Item::PLACE.asc())).unwrap())
}

/// The titles that the last pass has drawn.
#[derive(Clone, Default)]
struct Drawn(Rc<RefCell<Vec<String>>>);

impl Drawn {
    fn titles(&self) -> Vec<String> {
        self.0.borrow().clone()
    }

    fn show(&self, ui: &mut egui::Ui, list: &LiveList<Item>) {
        self.show_with(ui, list, |_| ());
    }

    /// Also calls `before` before each row is drawn.
    fn show_with(&self, ui: &mut egui::Ui, list: &LiveList<Item>, before: impl Fn(usize)) {
        self.0.borrow_mut().clear();
        list.show(ui, 20.0, |ui, index, item| {
            before(index);
            self.0.borrow_mut().push(item.title.clone());
            ui.label(&item.title);
        });
    }
}

/// A screen with the list, and what it draws.
fn screen(store: &Store<App>) -> (Harness<'static>, Drawn) {
    let (list, drawn) = (all(store), Drawn::default());
    let harness = Harness::new_ui({
        let drawn = drawn.clone();
        move |ui| drawn.show(ui, &list)
    });
    (idle(harness), drawn)
}

/// Runs until nothing is left to be repainted.
fn idle(mut harness: Harness<'_>) -> Harness<'_> {
    harness.run();
    harness
}

fn wants_repaint(harness: &Harness<'_>) -> bool {
    harness.ctx.has_requested_repaint()
}

/// Commits, and runs the passes that it leads to. There must be some.
fn commit(store: &Store<App>, harness: &mut Harness<'_>, event: ItemEvent) {
    assert!(!wants_repaint(harness), "nothing polls");
    store.commit(event).unwrap();
    assert!(wants_repaint(harness), "the change is shown");
    harness.run();
}

#[test]
fn rows_are_inserted_updated_moved_and_removed() {
    let store = filled(2);
    let (mut harness, drawn) = screen(&store);
    commit(&store, &mut harness, ItemEvent::Added { id: 9, title: "new".into(), place: 0 });
    assert_eq!(drawn.titles(), ["new", "item 1", "item 2"]);
    assert!(harness.query_by_label("new").is_some());
    commit(&store, &mut harness, ItemEvent::Renamed { id: 2, title: "second".into() });
    assert_eq!(drawn.titles(), ["new", "item 1", "second"]);
    commit(&store, &mut harness, ItemEvent::Moved { id: 9, place: 7 });
    assert_eq!(drawn.titles(), ["item 1", "second", "new"]);
    commit(&store, &mut harness, ItemEvent::Removed { id: 2 });
    assert_eq!(drawn.titles(), ["item 1", "new"]);
}

#[test]
fn a_value_is_updated() {
    let store = filled(2);
    let count = Live::new(store.live(Item::all().count()).unwrap());
    let mut harness = idle(Harness::new_ui(move |ui| {
        count.show(ui, |ui, count| ui.label(format!("{} items", **count)));
    }));
    assert!(harness.query_by_label("2 items").is_some());
    commit(&store, &mut harness, added(3));
    assert!(harness.query_by_label("3 items").is_some());
}

/// Of a long list, the rows in sight are drawn, and only a change of one of them repaints.
#[test]
fn of_100_000_rows_only_the_changed_one_is_drawn() {
    let store = filled(100_000);
    let (mut harness, drawn) = screen(&store);
    let in_sight = drawn.titles().len();
    assert!((10..100).contains(&in_sight), "{in_sight} rows are drawn");

    store.commit(ItemEvent::Renamed { id: 50_000, title: "far away".into() }).unwrap();
    assert!(!wants_repaint(&harness));
    commit(&store, &mut harness, ItemEvent::Renamed { id: 2, title: "near".into() });
    assert_eq!(drawn.titles()[..3], ["item 1", "near", "item 3"]);
    assert_eq!(drawn.titles().len(), in_sight);
}

#[test]
#[ignore = "a bench: cargo xtask screens --bench"]
fn notified_as_fast_as_a_plain_subscriber() {
    let store = notified::store();
    let (mut harness, _) = screen(&store);
    let measured = notified::measure("egui", async |turn| match turn {
        Turn::Commit(event) => {
            store.commit(event).unwrap();
            assert!(wants_repaint(&harness));
        }
        Turn::Show => drop(harness.run()),
    });
    futures_executor::block_on(measured);
}

#[test]
fn parameters_of_a_query_change() {
    let store = filled(3);
    store.commit(ItemEvent::Done { id: 2 }).unwrap();
    let (done, drawn) = (Rc::new(Cell::new(false)), Drawn::default());
    let mut harness = Harness::new_ui({
        let (store, done, drawn) = (store.clone(), Rc::clone(&done), drawn.clone());
        let mut lists = LiveBy::new();
        move |ui| {
            let list = lists.get(done.get(), |&done| {
                let query = Item::filter(Item::DONE.eq(done)).order_by(Item::PLACE.asc());
                store.live(query).map(LiveList::new)
            });
            drawn.show(ui, list.unwrap());
        }
    });
    harness.run();
    assert_eq!(drawn.titles(), ["item 1", "item 3"]);
    done.set(true);
    harness.run();
    assert_eq!(drawn.titles(), ["item 2"]);
    commit(&store, &mut harness, ItemEvent::Done { id: 3 });
    assert_eq!(drawn.titles(), ["item 2", "item 3"]);
    // The query before is no longer kept up to date.
    assert_eq!(store.inspect().unwrap().queries.len(), 1);
}

#[test]
fn unmounting_frees_the_query() {
    let store = filled(3);
    let (harness, _) = screen(&store);
    let count = Live::new(store.live(Item::all().count()).unwrap());
    let document = LiveDocument::<App, Screen>::new(&store).unwrap();
    assert_eq!(store.inspect().unwrap().queries.len(), 3);
    drop((harness, count, document));
    assert!(store.inspect().unwrap().queries.is_empty());
}

#[test]
fn the_error_of_a_query_is_shown() {
    let store = open();
    let numbers = raw::<(i64,)>("SELECT title FROM item ORDER BY id", ());
    let list = LiveList::new(store.live(numbers).unwrap());
    let mut harness = Harness::new_ui(move |ui| {
        list.show(ui, 20.0, |ui, _, row| {
            ui.label(row.0.to_string());
        });
    });
    harness.run();
    commit(&store, &mut harness, added(1));
    assert!(harness.query_by_label_contains("title").is_some(), "the error names the column");
    commit(&store, &mut harness, ItemEvent::Removed { id: 1 });
    assert!(harness.query_by_label_contains("title").is_none());
}

#[test]
fn a_panic_in_a_component_harms_nothing() {
    let store = filled(2);
    let list = Rc::new(all(&store));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        Harness::new_ui(|ui| {
            list.show(ui, 20.0, |_, _, _| panic!("the view's own mistake"));
        })
    }));
    assert!(panicked.is_err());

    let drawn = Drawn::default();
    let mut harness = idle(Harness::new_ui(|ui| drawn.show(ui, &list)));
    commit(&store, &mut harness, added(3));
    assert_eq!(drawn.titles(), ["item 1", "item 2", "item 3"]);
}

#[test]
fn a_client_document_is_read_and_written() {
    let store = open();
    let document = LiveDocument::<App, Screen>::new(&store).unwrap();
    let mut harness = Harness::new_ui(move |ui| {
        document.edit(ui, |ui, screen| ui.checkbox(&mut screen.only_open, "open")).unwrap();
        ui.label(format!("draft: {}", document.get(ui).draft));
    });
    harness.run();
    let before = store.head().unwrap();
    harness.get_by_label("open").click();
    harness.run();
    let set = Screen { draft: String::new(), only_open: true };
    assert_eq!(store.query(Screen::get()).unwrap(), set);
    assert_eq!(store.events().after(before).into_iter().count(), 1, "one edit is one event");

    store.commit(Screen::set().draft("milk")).unwrap();
    assert!(wants_repaint(&harness));
    harness.run();
    assert!(harness.query_by_label("draft: milk").is_some());
    assert!(store.query(Screen::get()).unwrap().only_open);
}

#[test]
fn what_another_thread_commits_arrives() {
    let store = filled(1);
    let (mut harness, drawn) = screen(&store);
    let other = store.clone();
    std::thread::spawn(move || other.commit(added(2)).unwrap()).join().unwrap();
    assert!(wants_repaint(&harness));
    harness.run();
    assert_eq!(drawn.titles(), ["item 1", "item 2"]);
}

#[test]
fn a_component_commits_while_it_is_drawn() {
    let store = filled(1);
    let (list, drawn) = (all(&store), Drawn::default());
    let mut harness = Harness::new_ui({
        let (store, drawn) = (store.clone(), drawn.clone());
        move |ui| {
            let next = i64::try_from(list.get(ui).len()).unwrap() + 1;
            drawn.show_with(ui, &list, |index| {
                if index == 0 && next <= 3 {
                    store.commit(added(next)).unwrap();
                }
            });
        }
    });
    harness.run();
    assert_eq!(drawn.titles(), ["item 1", "item 2", "item 3"]);
}

/// What another window shows repaints that window.
#[test]
fn a_change_repaints_the_viewports_that_show_it() {
    let store = filled(1);
    let context = egui::Context::default();
    let other = egui::ViewportId::from_hash_of("other");
    let list = all(&store);
    let mut input = egui::RawInput { viewport_id: other, ..egui::RawInput::default() };
    input.viewports.insert(other, egui::ViewportInfo::default());
    let mut output = context.run_ui(input, |ui| Drawn::default().show(ui, &list));
    output.textures_delta.clear();
    let (sender, requests) = std::sync::mpsc::channel();
    context.set_repaint_observer(move |info| sender.send(info.viewport_id).unwrap());
    store.commit(added(2)).unwrap();
    assert_eq!(requests.try_iter().collect::<Vec<_>>(), [other]);
}
