//! What every binding promises: the same tests, by the same names, in each of them.
//!
//! A process has one event loop, and `tests/event_loop.rs` has it. These tests have none, and call `update`
//! where the event loop would.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test, not an API"
)]

#[path = "../../notified.rs"]
mod notified;

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use i_slint_backend_testing::ElementHandle;
use livestore::prelude::*;
use livestore_slint::{Binding, LiveModel, bind};
use livestore_testing::sample::items::{App, Item, ItemEvent, Screen, added};
use slint::{FilterModel, Model as _, ModelRc, SharedString};

use crate::notified::Turn;

slint::slint! {
    export component Items inherits Window {
        width: 400px;
        height: 600px;
        in-out property <[string]> titles;
        in-out property <string> draft;
        in property <string> error;
        callback edited(string);
        callback rename(int, string);
        rename(index, title) => { root.titles[index] = title; }
        VerticalLayout {
            Text { text: root.error; }
            TextInput { text <=> root.draft; edited => { root.edited(self.text); } }
            for title in root.titles: Text { text: title; }
        }
        VerticalLayout {
            for title in root.titles: Text { text: "again: " + title; }
        }
    }
}

type Titles = Rc<LiveModel<Item, SharedString>>;
type Filter = Box<dyn Fn(&SharedString) -> bool>;

fn open() -> Store<App> {
    Store::builder("items").open().unwrap()
}

fn filled(last: i64) -> Store<App> {
    let store = open();
    store.commit(ItemEvent::Filled { last }).unwrap();
    store
}

fn all(store: &Store<App>) -> LiveQuery<List<Item>> {
    store.live(Item::all().order_by(Item::PLACE.asc())).unwrap()
}

fn titles(items: LiveQuery<List<Item>>) -> Titles {
    LiveModel::new(items, |item| SharedString::from(&item.title))
}

/// A window with the list, and its model.
fn screen(store: &Store<App>) -> (Items, Titles) {
    i_slint_backend_testing::init_no_event_loop();
    let (ui, model) = (Items::new().unwrap(), titles(all(store)));
    ui.set_titles(ModelRc::from(model.clone()));
    (ui, model)
}

fn shows(ui: &Items, label: &str) -> bool {
    ElementHandle::find_by_accessible_label(ui, label).next().is_some()
}

fn rows<R: Send + Sync + 'static>(model: &LiveModel<R, SharedString>) -> Vec<String> {
    model.iter().map(String::from).collect()
}

/// The rows that Slint reads when it is notified: a model of Slint's own upon ours, which reads what a
/// notification names and nothing else.
struct Reader {
    copy: FilterModel<Titles, Filter>,
    reads: Rc<RefCell<Vec<String>>>,
}

impl Reader {
    fn of(model: &Titles) -> Self {
        let reads = Rc::new(RefCell::new(Vec::new()));
        let read = Rc::clone(&reads);
        let filter = move |title: &SharedString| {
            read.borrow_mut().push(title.to_string());
            true
        };
        let reader = Self { copy: FilterModel::new(model.clone(), Box::new(filter)), reads };
        reader.reads.borrow_mut().clear();
        reader
    }

    fn rows(&self) -> Vec<String> {
        self.copy.iter().map(String::from).collect()
    }

    fn reads(&self) -> Vec<String> {
        self.reads.take()
    }
}

#[test]
fn rows_are_inserted_updated_moved_and_removed() {
    let store = filled(2);
    let (ui, model) = screen(&store);
    let reader = Reader::of(&model);
    assert!(shows(&ui, "item 1"));
    store.commit(ItemEvent::Added { id: 9, title: "new".into(), place: 0 }).unwrap();
    model.update();
    assert_eq!(reader.rows(), ["new", "item 1", "item 2"]);
    assert_eq!(reader.reads(), ["new"]);
    assert!(shows(&ui, "new") && shows(&ui, "item 2"));

    store.commit(ItemEvent::Renamed { id: 2, title: "second".into() }).unwrap();
    model.update();
    assert_eq!(reader.rows(), ["new", "item 1", "second"]);
    assert_eq!(reader.reads(), ["second"]);
    assert!(shows(&ui, "second") && !shows(&ui, "item 2"));

    store.commit(ItemEvent::Moved { id: 9, place: 7 }).unwrap();
    model.update();
    assert_eq!(reader.rows(), ["item 1", "second", "new"]);
    // The place is one of the columns: the row has moved, and has changed.
    assert_eq!(reader.reads(), ["new", "new"]);
    assert!(shows(&ui, "new"));

    store.commit(ItemEvent::Removed { id: 2 }).unwrap();
    model.update();
    assert_eq!(reader.rows(), ["item 1", "new"]);
    assert_eq!(reader.reads(), [""; 0]);
    assert!(shows(&ui, "new") && !shows(&ui, "second"));
}

#[test]
fn a_value_is_updated() {
    let store = filled(2);
    let (ui, _) = screen(&store);
    let count = store.live(Item::all().count()).unwrap();
    let binding =
        bind(&count, &ui, |ui, count| ui.set_draft((**count.unwrap()).to_string().into()));
    assert_eq!(ui.get_draft(), "2");
    store.commit(added(3)).unwrap();
    binding.update();
    assert_eq!(ui.get_draft(), "3");
}

#[test]
fn of_100_000_rows_only_the_changed_one_is_drawn() {
    let store = filled(100_000);
    let made = Rc::new(Cell::new(0));
    let model = LiveModel::new(all(&store), {
        let made = Rc::clone(&made);
        move |item: &Item| {
            made.set(made.get() + 1);
            SharedString::from(&item.title)
        }
    });
    assert_eq!(made.get(), 0, "rows are made when Slint asks for them");
    let reader = Reader::of(&model);
    made.set(0);
    store.commit(ItemEvent::Renamed { id: 50_000, title: "far away".into() }).unwrap();
    model.update();
    assert_eq!(reader.reads(), ["far away"]);
    assert_eq!(made.get(), 1);
}

#[test]
#[ignore = "a bench: cargo xtask screens --bench"]
fn notified_as_fast_as_a_plain_subscriber() {
    let store = notified::store();
    let model = LiveModel::new(all(&store), |item: &Item| SharedString::from(&item.title));
    let reader = Reader::of(&model);
    let measured = notified::measure("slint", async |turn| match turn {
        Turn::Commit(event) => {
            store.commit(event).unwrap();
            model.update();
        }
        Turn::Show => assert_eq!(reader.reads().len(), 1),
    });
    futures_executor::block_on(measured);
}

#[test]
fn parameters_of_a_query_change() {
    let store = filled(3);
    store.commit(ItemEvent::Done { id: 2 }).unwrap();
    let (ui, model) = screen(&store);
    assert!(shows(&ui, "item 1"));
    let done = titles(store.live(Item::filter(Item::DONE.eq(true))).unwrap());
    ui.set_titles(ModelRc::from(done.clone()));
    drop(model);
    assert!(shows(&ui, "item 2") && !shows(&ui, "item 1"));
    store.commit(ItemEvent::Done { id: 3 }).unwrap();
    done.update();
    assert_eq!(rows(&done), ["item 2", "item 3"]);
    assert!(shows(&ui, "item 3"));
    // The query before is no longer kept up to date.
    assert_eq!(store.inspect().unwrap().queries.len(), 1);
}

#[test]
fn unmounting_frees_the_query() {
    let store = filled(3);
    let (ui, model) = screen(&store);
    let binding = bind(&store.live(Screen::get()).unwrap(), &ui, |_, _| ());
    drop(model);
    assert_eq!(store.inspect().unwrap().queries.len(), 2);
    drop((ui, binding));
    assert!(store.inspect().unwrap().queries.is_empty());
}

/// Shows the query's error in the window.
fn bind_error(ui: &Items, items: &LiveQuery<List<Item>>) -> Binding {
    bind(items, ui, |ui, items| {
        ui.set_error(items.err().map(|error| error.to_string()).unwrap_or_default().into());
    })
}

#[test]
fn the_error_of_a_query_is_shown() {
    let store = filled(1);
    i_slint_backend_testing::init_no_event_loop();
    let ui = Items::new().unwrap();
    let broken = raw::<Item>("SELECT id, title, nullif(place, 7) AS place, done FROM item", ());
    let items = store.live(broken).unwrap();
    let (model, binding) = (titles(items.clone()), bind_error(&ui, &items));
    assert_eq!(ui.get_error(), "");
    store.commit(ItemEvent::Moved { id: 1, place: 7 }).unwrap();
    binding.update();
    model.update();
    assert!(ui.get_error().contains("place"), "{}", ui.get_error());
    assert_eq!(model.error(), items.error());
    assert_eq!(rows(&model), ["item 1"], "the last value stays");
    store.commit(ItemEvent::Moved { id: 1, place: 8 }).unwrap();
    binding.update();
    assert_eq!(ui.get_error(), "");
}

#[test]
fn a_panic_in_a_component_harms_nothing() {
    let store = filled(2);
    let is_broken = Rc::new(Cell::new(false));
    let model = LiveModel::new(all(&store), {
        let is_broken = Rc::clone(&is_broken);
        move |item: &Item| {
            assert!(!is_broken.get(), "the view's own mistake");
            SharedString::from(&item.title)
        }
    });
    let reader = FilterModel::new(model.clone(), |_: &SharedString| true);
    is_broken.set(true);
    store.commit([added(3), added(4)]).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| model.update())).is_err());
    is_broken.set(false);
    store.commit(added(5)).unwrap();
    model.update();
    assert_eq!(rows(&model), ["item 1", "item 2", "item 3", "item 4", "item 5"]);
    drop(reader);
}

#[test]
fn a_client_document_is_read_and_written() {
    let store = open();
    let (ui, _) = screen(&store);
    store.commit(Screen::set().only_open(true)).unwrap();
    let screen = store.live(Screen::get()).unwrap();
    let binding = bind(&screen, &ui, |ui, screen| ui.set_draft((&screen.unwrap().draft).into()));
    ui.on_edited({
        let store = store.clone();
        move |draft| drop(store.commit(Screen::set().draft(draft)).unwrap())
    });
    ui.invoke_edited("milk".into());
    let set = Screen { draft: "milk".into(), only_open: true };
    assert_eq!(store.query(Screen::get()).unwrap(), set);

    store.commit(Screen::set().draft("bread")).unwrap();
    binding.update();
    assert_eq!(ui.get_draft(), "bread");
}

#[test]
fn a_component_commits_while_it_is_drawn() {
    let store = filled(1);
    let (ui, _) = screen(&store);
    let count = store.live(Item::all().count()).unwrap();
    let binding = bind(&count, &ui, {
        let store = store.clone();
        move |_, count| {
            let count = i64::try_from(**count.unwrap()).unwrap();
            if count < 3 {
                store.commit(added(count + 1)).unwrap();
            }
        }
    });
    binding.update();
    binding.update();
    assert_eq!(store.query(Item::all().count()).unwrap(), 3);
}

/// An assignment in a `.slint` file is a commit; all views of the model show its outcome.
#[test]
fn a_row_that_is_edited_is_committed() {
    let store = filled(2);
    i_slint_backend_testing::init_no_event_loop();
    let ui = Items::new().unwrap();
    let model = LiveModel::editable(all(&store), |item| SharedString::from(&item.title), {
        let store = store.clone();
        move |item: &Item, title: SharedString| {
            if !title.is_empty() {
                let renamed = ItemEvent::Renamed { id: item.id, title: title.into() };
                store.commit(renamed).unwrap();
            }
        }
    });
    ui.set_titles(ModelRc::from(model.clone()));
    assert!(shows(&ui, "item 2"));
    ui.invoke_rename(1, "second".into());
    assert!(shows(&ui, "second") && shows(&ui, "again: second"));
    assert_eq!(store.query(Item::get(2)).unwrap().unwrap().title, "second");
    // What is not committed is not shown.
    ui.invoke_rename(1, "".into());
    assert!(shows(&ui, "second") && shows(&ui, "again: second"));
}
