//! What every binding does: the same list of tests, by the same names.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test has threads, and may panic"
)]

#[path = "../../notified.rs"]
mod notified;

use std::cell::{Cell, RefCell};
use std::panic::panic_any;
use std::rc::Rc;
use std::thread;

use dioxus::core::NoOpMutations;
use dioxus::prelude::*;
use futures_executor::block_on;
use futures_util::FutureExt as _;
use livestore::live::{List, Live, Reactive as _};
use livestore::schema::{Commit, Document as _, QueryIn};
use livestore::table::{Arrange as _, Compare as _, Raw, Table as _, raw};
use livestore_dioxus::{
    Row, use_document, use_live, use_live_with, use_rows, use_rows_with, use_store,
    use_store_provider,
};
use livestore_testing::sample::items::{App, Item, ItemEvent, Screen, added};

use crate::notified::Turn;

/// An app on the screen.
struct Ui {
    dom: VirtualDom,
    store: livestore::Store<App>,
    /// The number of times that each kind of component was drawn.
    drawn: Drawn,
}

#[derive(Clone, Default)]
struct Drawn {
    lists: Rc<Cell<usize>>,
    rows: Rc<Cell<usize>>,
}

impl Drawn {
    fn add(count: &Cell<usize>) {
        count.set(count.get() + 1);
    }

    /// Returns the counts of lists and rows since the last call.
    fn take(&self) -> (usize, usize) {
        (self.lists.take(), self.rows.take())
    }
}

impl Ui {
    fn new(app: fn() -> Element) -> Self {
        Self::with(livestore::Store::builder("items").open().unwrap(), app)
    }

    fn with(store: livestore::Store<App>, app: fn() -> Element) -> Self {
        let drawn = Drawn::default();
        let dom =
            VirtualDom::new(app).with_root_context(store.clone()).with_root_context(drawn.clone());
        let mut ui = Self { dom, store, drawn };
        ui.dom.rebuild(&mut NoOpMutations);
        ui.run_until_idle();
        ui
    }

    fn commit<E: Commit<App>>(&mut self, events: E) {
        self.store.commit(events).unwrap();
        self.run_until_idle();
    }

    /// Does all that the app has to do, and waits for nothing.
    fn run_until_idle(&mut self) {
        while self.dom.wait_for_work().now_or_never().is_some() {
            self.dom.render_immediate(&mut NoOpMutations);
        }
    }

    fn html(&self) -> String {
        dioxus_ssr::render(&self.dom)
    }

    /// Runs `work` as an event handler of the app does.
    fn in_app<R>(&mut self, work: impl FnOnce() -> R) -> R {
        let result = self.dom.in_scope(ScopeId::APP, work);
        self.run_until_idle();
        result
    }

    fn live_queries(&self) -> usize {
        self.store.inspect().unwrap().queries.len()
    }
}

fn open_items() -> impl Live<Value = List<Item>> + QueryIn<App> {
    Item::filter(Item::DONE.eq(false)).order_by(Item::PLACE.asc())
}

#[component]
fn RowView(item: Row<Item>) -> Element {
    Drawn::add(&consume_context::<Drawn>().rows);
    rsx! { "{item.get().title};" }
}

fn list() -> Element {
    let items = use_rows(use_store::<App>(), open_items(), |item| item.id);
    Drawn::add(&consume_context::<Drawn>().lists);
    rsx! {
        for (id, item) in items()?.iter().cloned() {
            RowView { key: "{id}", item }
        }
    }
}

#[test]
fn rows_are_inserted_updated_moved_and_removed() {
    let mut ui = Ui::new(list);
    ui.commit([added(1), added(2), added(3)]);
    assert_eq!(ui.html(), "item 1;item 2;item 3;");
    assert_eq!(ui.drawn.take(), (2, 3));
    ui.commit(ItemEvent::Renamed { id: 2, title: "two".into() });
    assert_eq!(ui.html(), "item 1;two;item 3;");
    assert_eq!(ui.drawn.take(), (0, 1));
    ui.commit(ItemEvent::Moved { id: 2, place: 9 });
    assert_eq!(ui.html(), "item 1;item 3;two;");
    ui.commit(ItemEvent::Removed { id: 1 });
    assert_eq!(ui.html(), "item 3;two;");
    ui.drawn.take();
    ui.commit(ItemEvent::Done { id: 3 });
    assert_eq!(ui.html(), "two;");
    assert_eq!(ui.drawn.take(), (1, 0));
}

#[test]
fn a_value_is_updated() {
    fn app() -> Element {
        let count = use_live(use_store::<App>(), Item::all().count());
        rsx! { "{**count()?}" }
    }
    let mut ui = Ui::new(app);
    assert_eq!(ui.html(), "0");
    ui.commit([added(1), added(2)]);
    assert_eq!(ui.html(), "2");
}

#[test]
fn of_100_000_rows_only_the_changed_one_is_drawn() {
    let mut ui = Ui::new(list);
    ui.commit(ItemEvent::Filled { last: 100_000 });
    assert_eq!(ui.drawn.take(), (2, 100_000));
    ui.commit(ItemEvent::Renamed { id: 50_000, title: "changed".into() });
    assert_eq!(ui.drawn.take(), (0, 1));
    assert!(ui.html().contains(";changed;item 50001;"));
}

#[test]
#[ignore = "a bench: cargo xtask screens --bench"]
fn notified_as_fast_as_a_plain_subscriber() {
    let mut ui = Ui::with(notified::store(), list);
    block_on(notified::measure("dioxus", async |turn| match turn {
        Turn::Commit(event) => {
            ui.store.commit(event).unwrap();
            ui.dom.wait_for_work().now_or_never().unwrap();
        }
        Turn::Show => {
            ui.run_until_idle();
            assert_eq!(ui.drawn.rows.take() % 100_000, 1);
        }
    }));
}

#[test]
fn parameters_of_a_query_change() {
    #[derive(Clone, Copy)]
    struct Wanted(Signal<bool>);

    #[component]
    fn ByProp(done: bool) -> Element {
        let items = use_live(use_store::<App>(), Item::filter(Item::DONE.eq(done)));
        rsx! { "{items()?.len()}" }
    }

    fn app() -> Element {
        let Wanted(done) = use_context_provider(|| Wanted(Signal::new(false)));
        let query = move || Item::filter(Item::DONE.eq(done()));
        let items = use_live_with(use_store::<App>(), query);
        let rows = use_rows_with(use_store::<App>(), query, |item| item.id);
        Drawn::add(&consume_context::<Drawn>().lists);
        rsx! {
            "{items()?.len()},"
            for (id, item) in rows()?.iter().cloned() {
                RowView { key: "{id}", item }
            }
            ByProp { done: done() }
        }
    }

    let mut ui = Ui::new(app);
    ui.commit([added(1), added(2), added(3)]);
    ui.commit(ItemEvent::Done { id: 3 });
    assert_eq!(ui.html(), "2,item 1;item 2;2");
    let queries = ui.live_queries();
    ui.drawn.take();
    ui.in_app(|| consume_context::<Wanted>().0.set(true));
    assert_eq!(ui.html(), "1,item 3;1");
    assert_eq!(ui.drawn.take(), (1, 1), "one rendering for all that changed");
    // The queries of before are no longer live, and the new ones are.
    ui.commit(ItemEvent::Done { id: 2 });
    assert_eq!(ui.html(), "2,item 2;item 3;2");
    assert_eq!(ui.live_queries(), queries);
}

#[test]
fn unmounting_frees_the_query() {
    fn app() -> Element {
        let is_shown = use_context_provider(|| Signal::new(true));
        rsx! {
            if is_shown() {
                Both {}
            }
        }
    }

    #[component]
    fn Both() -> Element {
        let store = use_store::<App>();
        let count = use_live(store, Item::all().count());
        let screen = use_document::<App, Screen>(store);
        rsx! { List {} "{**count()?}{screen.get()?.draft}" }
    }

    #[component]
    fn List() -> Element {
        list()
    }

    let mut ui = Ui::new(app);
    ui.commit(added(1));
    assert_eq!(ui.live_queries(), 3);
    ui.in_app(|| consume_context::<Signal<bool>>().set(false));
    ui.commit(added(2));
    assert_eq!((ui.live_queries(), ui.html().as_str()), (0, ""));
    ui.in_app(|| consume_context::<Signal<bool>>().set(true));
    assert_eq!((ui.live_queries(), ui.html().as_str()), (3, "item 1;item 2;2"));
    drop(ui.dom);
    assert_eq!(ui.store.inspect().unwrap().queries.len(), 0);
}

#[test]
fn the_error_of_a_query_is_shown() {
    fn app() -> Element {
        rsx! {
            ErrorBoundary {
                handle_error: |errors: ErrorContext| {
                    let error = errors.error().map(|error| error.to_string()).unwrap_or_default();
                    rsx! { "failed: {error}" }
                },
                Numbers {}
            }
            Matched {}
        }
    }

    #[component]
    fn Numbers() -> Element {
        let numbers = use_live(use_store::<App>(), titles());
        rsx! { "{numbers()?.len()} numbers" }
    }

    #[component]
    fn Matched() -> Element {
        let rows = use_rows(use_store::<App>(), titles(), |row| row.0);
        match rows() {
            Ok(rows) => rsx! { ", {rows.len()}" },
            Err(_) => rsx! { ", none" },
        }
    }

    /// A title is not a number.
    fn titles() -> Raw<(i64,)> {
        raw("SELECT title FROM item WHERE done = 0", ())
    }

    let mut ui = Ui::new(app);
    assert_eq!(ui.html(), "0 numbers, 0");
    ui.commit(added(1));
    assert!(ui.html().starts_with("failed: "), "{}", ui.html());
    assert!(ui.html().contains("title") && ui.html().ends_with(", none"), "{}", ui.html());
    // It works again, and whoever shows the value shows it; a boundary shows its error until it is cleared.
    ui.commit(ItemEvent::Done { id: 1 });
    assert!(ui.html().ends_with(", 0"), "{}", ui.html());
}

#[test]
fn a_panic_in_a_component_harms_nothing() {
    #[derive(Clone, Default)]
    struct Failed(Rc<RefCell<Option<ErrorContext>>>);

    fn app() -> Element {
        use_context_provider(Failed::default);
        rsx! {
            ErrorBoundary {
                handle_error: |errors: ErrorContext| {
                    consume_context::<Failed>().0.replace(Some(errors));
                    rsx! { "failed, " }
                },
                Fragile {}
            }
            Count {}
        }
    }

    #[component]
    fn Fragile() -> Element {
        let items = use_live(use_store::<App>(), open_items());
        if items()?.len() == 1 {
            panic_any("one item is too few");
        }
        rsx! { "{items()?.len()} items, " }
    }

    #[component]
    fn Count() -> Element {
        let count = use_live(use_store::<App>(), Item::all().count());
        rsx! { "{**count()?}" }
    }

    let mut ui = Ui::new(app);
    assert_eq!(ui.html(), "0 items, 0");
    ui.commit(added(1));
    assert_eq!(ui.html(), "failed, 1");
    ui.commit(added(2));
    assert_eq!(ui.html(), "failed, 2");
    // Whoever clears the error has it drawn again.
    ui.in_app(|| consume_context::<Failed>().0.take().unwrap().clear_errors());
    assert_eq!(ui.html(), "2 items, 2");
}

#[test]
fn a_client_document_is_read_and_written() {
    fn app() -> Element {
        let screen = use_document::<App, Screen>(use_store());
        use_context_provider(|| screen);
        rsx! { "{screen.get()?.draft}" }
    }
    let mut ui = Ui::new(app);
    ui.commit(Screen::set().draft("from the store"));
    assert_eq!(ui.html(), "from the store");
    ui.in_app(|| {
        let screen = consume_context::<livestore_dioxus::LiveDocument<App, Screen>>();
        screen.set(|set| set.draft("from the screen")).unwrap();
        assert_eq!(screen.get().unwrap().draft, "from the store", "shown until it is drawn again");
    });
    assert_eq!(ui.html(), "from the screen");
}

#[test]
fn a_component_commits_while_it_is_drawn_and_while_it_reads() {
    fn app() -> Element {
        let store = use_store::<App>();
        let count = use_live(store, Item::all().count());
        let rows = use_rows(store, open_items(), |item| item.id);
        let read = count.read();
        let next = 1 + i64::try_from(**read.as_ref().map_err(Clone::clone)?.as_ref())?;
        if next <= 3 {
            let _rows = rows.read();
            store.read().commit(added(next))?;
        }
        rsx! { "{rows()?.len()}" }
    }
    let ui = Ui::new(app);
    assert_eq!(ui.html(), "3");
}

#[test]
fn a_subscriber_commits_what_components_show() {
    let mut ui = Ui::new(list);
    let all = ui.store.live(Item::all().count()).unwrap();
    let store = ui.store.clone();
    let _guard = all.subscribe(move |count| {
        let next = i64::try_from(**count).unwrap() + 1;
        if next <= 5 {
            store.commit(added(next)).unwrap();
        }
    });
    ui.commit(added(1));
    assert_eq!(ui.html(), "item 1;item 2;item 3;item 4;item 5;");
}

#[test]
fn what_another_thread_commits_arrives() {
    let mut ui = Ui::new(list);
    let store = ui.store.clone();
    let writer =
        thread::spawn(move || (1..=200).for_each(|id| drop(store.commit(added(id)).unwrap())));
    // It draws while the other thread commits.
    while !writer.is_finished() {
        ui.run_until_idle();
    }
    writer.join().unwrap();
    ui.run_until_idle();
    assert!(ui.html().ends_with("item 199;item 200;"));
    // A change wakes an app that waits.
    let store = ui.store.clone();
    let writer = thread::spawn(move || drop(store.commit(ItemEvent::Removed { id: 200 }).unwrap()));
    while !ui.html().ends_with("item 199;") {
        block_on(ui.dom.wait_for_work());
        ui.run_until_idle();
    }
    writer.join().unwrap();
}

#[test]
fn a_store_is_given_to_the_components_below() {
    fn app() -> Element {
        let store =
            use_store_provider(|| livestore::Store::<App>::builder("items").open().unwrap());
        rsx! { Below {} "{store().store_id()}" }
    }

    #[component]
    fn Below() -> Element {
        let store = use_store::<App>();
        rsx! { "{store().store_id()}, " }
    }

    let mut dom = VirtualDom::new(app);
    dom.rebuild(&mut NoOpMutations);
    assert_eq!(dioxus_ssr::render(&dom), "items, items");
}
