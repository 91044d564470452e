//! What every binding does: the same list of tests, by the same names.
//!
//! There is no page here: views are rendered to HTML, and effects stand for what a page renders again.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test has threads, and may panic"
)]

#[path = "../../notified.rs"]
mod notified;

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use any_spawner::Executor;
use leptos::prelude::*;
use livestore::Store;
use livestore::live::{List, Live, Reactive as _};
use livestore::schema::{Document as _, QueryIn};
use livestore::table::{Arrange as _, Compare as _, Raw, Table as _, raw};
use livestore_leptos::{Row, provide_store, use_document, use_live, use_rows, use_store};
use livestore_testing::sample::items::{App, Item, ItemEvent, Screen, added};
use tokio::task::{LocalSet, spawn_local, yield_now};

use crate::notified::Turn;

/// Runs a test in a component with a store, in Leptos' executor.
async fn in_app<F: Future<Output = ()>>(test: impl FnOnce(Store<App>, Owner) -> F) {
    _ = Executor::init_tokio();
    let owner = Owner::new();
    owner.set();
    let store = Store::<App>::builder("items").open().unwrap();
    provide_store(store.clone());
    LocalSet::new().run_until(test(store, owner.clone())).await;
    drop(owner);
}

/// Lets every task do what it has to do: those that are due are run before one that is spawned now, and what
/// these wake, such as effects, in the next round.
async fn run_until_idle() {
    for _ in 0..10 {
        spawn_local(async {}).await.unwrap();
    }
}

fn open_items() -> impl Live<Value = List<Item>> + QueryIn<App> {
    Item::filter(Item::DONE.eq(false)).order_by(Item::PLACE.asc())
}

/// The text of a view, without what Leptos marks in it.
fn text(view: impl IntoView) -> String {
    view.into_view().to_html().replace("<!>", "").replace("<!---->", "")
}

/// A page with a list: an effect for the list, as `For` has, and one for each row, as its texts have.
#[derive(Clone, Default)]
struct Page {
    titles: Arc<Mutex<HashMap<i64, String>>>,
    order: Arc<Mutex<Vec<i64>>>,
    lists: Arc<AtomicUsize>,
    rows: Arc<AtomicUsize>,
}

impl Page {
    fn render(store: &Store<App>) -> Self {
        let items = use_rows(store, open_items, |item| item.id);
        let page = Self::default();
        Effect::new({
            let page = page.clone();
            move |effects: Option<HashMap<i64, Row<Item>>>| {
                page.lists.fetch_add(1, Ordering::Relaxed);
                let mut before = effects.unwrap_or_default();
                let items = items.get().unwrap();
                *page.order.lock().unwrap() = items.iter().map(|(id, _)| *id).collect();
                let owner = Owner::current().unwrap().parent().unwrap();
                let row = |(id, row): (i64, Row<Item>)| {
                    if before.remove(&id).as_ref() != Some(&row) {
                        owner.with(|| page.render_row(id, row.clone()));
                    }
                    (id, row)
                };
                items.into_iter().map(row).collect()
            }
        });
        page
    }

    fn render_row(&self, id: i64, row: Row<Item>) {
        let page = self.clone();
        Effect::new(move || {
            page.rows.fetch_add(1, Ordering::Relaxed);
            page.titles.lock().unwrap().insert(id, row.get().title.clone());
        });
    }

    fn text(&self) -> String {
        let (order, titles) = (self.order.lock().unwrap(), self.titles.lock().unwrap());
        order.iter().map(|id| format!("{};", titles.get(id).unwrap())).collect()
    }

    /// Returns how often the list and rows were rendered since the last call.
    fn take(&self) -> (usize, usize) {
        (self.lists.swap(0, Ordering::Relaxed), self.rows.swap(0, Ordering::Relaxed))
    }
}

#[tokio::test]
async fn rows_are_inserted_updated_moved_and_removed() {
    in_app(|store, _| async move {
        let page = Page::render(&store);
        run_until_idle().await;
        store.commit([added(1), added(2), added(3)]).unwrap();
        run_until_idle().await;
        assert_eq!(page.text(), "item 1;item 2;item 3;");
        assert_eq!(page.take(), (2, 3));
        store.commit(ItemEvent::Renamed { id: 2, title: "two".into() }).unwrap();
        run_until_idle().await;
        assert_eq!(page.text(), "item 1;two;item 3;");
        assert_eq!(page.take(), (0, 1));
        store.commit(ItemEvent::Moved { id: 2, place: 9 }).unwrap();
        run_until_idle().await;
        assert_eq!(page.text(), "item 1;item 3;two;");
        store.commit(ItemEvent::Removed { id: 1 }).unwrap();
        run_until_idle().await;
        assert_eq!(page.text(), "item 3;two;");
        page.take();
        store.commit(ItemEvent::Done { id: 3 }).unwrap();
        run_until_idle().await;
        assert_eq!(page.text(), "two;");
        assert_eq!(page.take(), (1, 0));
    })
    .await;
}

#[tokio::test]
async fn a_value_is_updated() {
    in_app(|store, _| async move {
        let count = use_live(&store, || Item::all().count());
        let view = || text(move || count.get().map(|count| **count));
        assert_eq!(view(), "0");
        store.commit([added(1), added(2)]).unwrap();
        run_until_idle().await;
        assert_eq!(view(), "2");
    })
    .await;
}

#[tokio::test]
async fn of_100_000_rows_only_the_changed_one_is_drawn() {
    in_app(|store, _| async move {
        store.commit(ItemEvent::Filled { last: 100_000 }).unwrap();
        let page = Page::render(&store);
        run_until_idle().await;
        assert_eq!(page.take(), (1, 100_000));
        store.commit(ItemEvent::Renamed { id: 50_000, title: "changed".into() }).unwrap();
        run_until_idle().await;
        assert_eq!(page.take(), (0, 1));
        assert!(page.text().contains(";changed;item 50001;"));
    })
    .await;
}

#[tokio::test]
#[ignore = "a bench: cargo xtask screens --bench"]
async fn notified_as_fast_as_a_plain_subscriber() {
    in_app(|_, _| async move {
        let store = notified::store();
        let page = Page::render(&store);
        run_until_idle().await;
        page.take();
        notified::measure("leptos", async |turn| match turn {
            Turn::Commit(event) => {
                store.commit(event).unwrap();
                while page.rows.load(Ordering::Relaxed) == 0 {
                    yield_now().await;
                }
            }
            Turn::Show => assert_eq!(page.take(), (0, 1)),
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn parameters_of_a_query_change() {
    in_app(|store, _| async move {
        let done = RwSignal::new(false);
        let query = move || Item::filter(Item::DONE.eq(done.get()));
        let items = use_live(&store, query);
        let rows = use_rows(&store, query, |item| item.id);
        let ids = move || {
            let rows = rows.get().unwrap().into_iter().map(|(id, _)| id).collect::<Vec<_>>();
            (items.get().unwrap().len(), rows)
        };
        store.commit([added(1), added(2), added(3)]).unwrap();
        store.commit(ItemEvent::Done { id: 3 }).unwrap();
        assert_eq!(ids(), (2, vec![1, 2]));
        // The new query's value is there at once.
        done.set(true);
        assert_eq!(ids(), (1, vec![3]));
        run_until_idle().await;
        store.commit(ItemEvent::Done { id: 2 }).unwrap();
        run_until_idle().await;
        assert_eq!(ids(), (2, vec![2, 3]));
        assert_eq!(store.inspect().unwrap().queries.len(), 1, "the first query is no longer live");
        // The same query again: whoever reads it goes on.
        done.set(true);
        let seen = Arc::new(AtomicUsize::new(0));
        Effect::new({
            let seen = Arc::clone(&seen);
            move || seen.store(items.get().unwrap().len(), Ordering::Relaxed)
        });
        run_until_idle().await;
        done.set(true);
        run_until_idle().await;
        store.commit(ItemEvent::Done { id: 1 }).unwrap();
        run_until_idle().await;
        assert_eq!(seen.load(Ordering::Relaxed), 3);
    })
    .await;
}

#[tokio::test]
async fn unmounting_frees_the_query() {
    in_app(|store, owner| async move {
        let component = owner.child();
        component.with(|| {
            let page = Page::render(&store);
            let count = use_live(&store, || Item::all().count());
            let (screen, _) = use_document::<App, Screen>(&store);
            Effect::new(move || {
                page.take();
                count.get().unwrap();
                screen.get().unwrap();
            });
        });
        run_until_idle().await;
        store.commit(added(1)).unwrap();
        assert_eq!(store.inspect().unwrap().queries.len(), 3);
        component.cleanup();
        drop(component);
        run_until_idle().await;
        store.commit(added(2)).unwrap();
        assert_eq!(store.inspect().unwrap().queries.len(), 0);
    })
    .await;
}

#[tokio::test]
async fn the_error_of_a_query_is_shown() {
    /// A title is not a number.
    fn titles() -> Raw<(i64,)> {
        raw("SELECT title FROM item WHERE done = 0", ())
    }

    in_app(|store, _| async move {
        let numbers = use_live(&store, titles);
        let rows = use_rows(&store, titles, |row| row.0);
        let view = || {
            text(view! {
                <ErrorBoundary fallback=|errors| {
                    errors.get().into_iter().map(|(_, error)| format!("failed: {error}")).collect::<String>()
                }>
                    {move || numbers.get().map(|numbers| format!("{} numbers", numbers.len()))}
                </ErrorBoundary>
                {move || rows.get().map_or_else(|_| ", none".to_owned(), |rows| format!(", {}", rows.len()))}
            })
        };
        assert_eq!(view(), "0 numbers, 0");
        store.commit(added(1)).unwrap();
        run_until_idle().await;
        assert!(view().starts_with("failed: ") && view().contains("title"), "{}", view());
        assert!(view().ends_with(", none"), "{}", view());
        store.commit(ItemEvent::Done { id: 1 }).unwrap();
        run_until_idle().await;
        assert_eq!(view(), "0 numbers, 0");
    })
    .await;
}

#[tokio::test]
async fn a_panic_in_a_component_harms_nothing() {
    in_app(|store, _| async move {
        let items = use_live(&store, open_items);
        Effect::new(move || assert_ne!(items.get().unwrap().len(), 1, "one item is too few"));
        let page = Page::render(&store);
        run_until_idle().await;
        store.commit(added(1)).unwrap();
        run_until_idle().await;
        store.commit(added(2)).unwrap();
        run_until_idle().await;
        assert_eq!(page.text(), "item 1;item 2;");
        assert_eq!(items.get().unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_client_document_is_read_and_written() {
    in_app(|store, _| async move {
        let (screen, set_screen) = use_document::<App, Screen>(&store);
        let draft = move || screen.get().unwrap().draft.clone();
        store.commit(Screen::set().draft("from the store")).unwrap();
        run_until_idle().await;
        assert_eq!(draft(), "from the store");
        set_screen.set(|set| set.draft("from the screen")).unwrap();
        run_until_idle().await;
        assert_eq!(draft(), "from the screen");
        assert_eq!(store.query(Screen::get()).unwrap().draft, "from the screen");
    })
    .await;
}

#[tokio::test]
async fn a_component_commits_while_it_is_drawn_and_while_it_reads() {
    in_app(|store, _| async move {
        let count = use_live(&store, || Item::all().count());
        let rows = use_rows(&store, open_items, |item| item.id);
        Effect::new({
            let store = use_store::<App>();
            move || {
                let (count, _rows) = (count.read(), rows.read());
                let next = i64::try_from(**count.as_ref().unwrap().as_ref()).unwrap() + 1;
                if next <= 3 {
                    store.commit(added(next)).unwrap();
                }
            }
        });
        run_until_idle().await;
        assert_eq!(rows.get().unwrap().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_subscriber_commits_what_components_show() {
    in_app(|store, _| async move {
        let page = Page::render(&store);
        let all = store.live(Item::all().count()).unwrap();
        let again = store.clone();
        let _guard = all.subscribe(move |count| {
            let next = i64::try_from(**count).unwrap() + 1;
            if next <= 5 {
                again.commit(added(next)).unwrap();
            }
        });
        store.commit(added(1)).unwrap();
        run_until_idle().await;
        assert_eq!(page.text(), "item 1;item 2;item 3;item 4;item 5;");
    })
    .await;
}

#[tokio::test]
async fn what_another_thread_commits_arrives() {
    in_app(|store, _| async move {
        let page = Page::render(&store);
        let rows = use_rows(&store, open_items, |item| item.id);
        let writing = store.clone();
        let writer = thread::spawn(move || {
            (1..=200).for_each(|id| drop(writing.commit(added(id)).unwrap()))
        });
        while !writer.is_finished() {
            // As a handler that reads for long.
            let reading = rows.read();
            drop(reading);
            yield_now().await;
        }
        writer.join().unwrap();
        run_until_idle().await;
        assert!(page.text().ends_with("item 199;item 200;"));
    })
    .await;
}
