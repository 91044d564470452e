//! What every binding does, as far as Yew does it without a page: components are rendered as on a server. How a change
//! has a component rendered again is tested beside `use_live`.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use livestore::Store;
use livestore::live::{List, Live, SharedRow};
use livestore::schema::{Document as _, QueryIn};
use livestore::table::{Arrange as _, Compare as _, Table as _, raw};
use livestore_testing::sample::items::{App, Item, ItemEvent, Screen, added};
use livestore_yew::{StoreProvider, use_document, use_live, use_store};
use tokio::task::LocalSet;
use yew::prelude::*;

/// What a page is rendered from.
#[derive(Clone, PartialEq, Properties)]
struct Props {
    page: Callback<(), Html>,
    store: Shared,
}

/// A store that equals itself.
#[derive(Clone)]
struct Shared(Store<App>);

impl PartialEq for Shared {
    fn eq(&self, other: &Self) -> bool {
        self.0.session_id() == other.0.session_id()
    }
}

#[component]
fn Main(props: &Props) -> Html {
    html! {
        <StoreProvider<App> store={props.store.0.clone()}>{ props.page.emit(()) }</StoreProvider<App>>
    }
}

/// Renders a page with the store.
async fn html(store: &Store<App>, page: impl Fn() -> Html + 'static) -> String {
    let props = Props { page: Callback::from(move |()| page()), store: Shared(store.clone()) };
    let renderer = yew::LocalServerRenderer::<Main>::with_props(props).hydratable(false);
    LocalSet::new().run_until(renderer.render()).await
}

fn store() -> Store<App> {
    Store::<App>::builder("items").open().unwrap()
}

fn open_items() -> impl Live<Value = List<Item>> + QueryIn<App> {
    Item::filter(Item::DONE.eq(false)).order_by(Item::PLACE.asc())
}

#[derive(Properties, PartialEq)]
struct ItemProps {
    item: SharedRow<Item>,
}

#[component]
fn ItemView(props: &ItemProps) -> Html {
    html! { { format!("{};", props.item.title) } }
}

#[component]
fn Items() -> Html {
    let store = use_store::<App>();
    let items = use_live(&store, open_items());
    items
        .unwrap()
        .iter()
        .map(|item| html! { <ItemView key={item.id} item={item.clone()} /> })
        .collect()
}

#[tokio::test]
async fn rows_are_inserted_updated_moved_and_removed() {
    let store = store();
    let shown = || html(&store, || html! { <Items /> });
    store.commit([added(1), added(2), added(3)]).unwrap();
    assert_eq!(shown().await, "item 1;item 2;item 3;");
    store.commit(ItemEvent::Renamed { id: 2, title: "two".into() }).unwrap();
    store.commit(ItemEvent::Moved { id: 2, place: 9 }).unwrap();
    assert_eq!(shown().await, "item 1;item 3;two;");
    store.commit([ItemEvent::Removed { id: 1 }, ItemEvent::Done { id: 3 }]).unwrap();
    assert_eq!(shown().await, "two;");
}

/// Yew renders a component again if its properties differ.
#[test]
fn of_100_000_rows_only_the_changed_one_is_drawn() {
    let store = store();
    store.commit(ItemEvent::Filled { last: 100_000 }).unwrap();
    let live = store.live(open_items()).unwrap();
    let props = || {
        let items = livestore::live::Reactive::get(&live);
        items.iter().map(|item| ItemProps { item: item.clone() }).collect::<Vec<_>>()
    };
    let before = props();
    store.commit(ItemEvent::Renamed { id: 50_000, title: "changed".into() }).unwrap();
    let after = props();
    let changed: Vec<_> =
        before.iter().zip(&after).filter(|(before, after)| before != after).collect();
    assert_eq!((before.len(), after.len(), changed.len()), (100_000, 100_000, 1));
}

#[tokio::test]
async fn parameters_of_a_query_change() {
    #[derive(Properties, PartialEq)]
    struct DoneProps {
        done: bool,
    }

    #[component]
    fn Count(props: &DoneProps) -> Html {
        let query = Item::filter(Item::DONE.eq(props.done)).count();
        let store = use_store::<App>();
        let count = use_live(&store, query);
        html! { { **count.unwrap() } }
    }

    let store = store();
    store.commit([added(1), added(2), added(3)]).unwrap();
    store.commit(ItemEvent::Done { id: 3 }).unwrap();
    assert_eq!(html(&store, || html! { <Count done=false /> }).await, "2");
    assert_eq!(html(&store, || html! { <Count done=true /> }).await, "1");
    store.commit(added(4)).unwrap();
    assert_eq!(store.inspect().unwrap().queries.len(), 0, "a server has no live components");
}

#[tokio::test]
async fn the_error_of_a_query_is_shown() {
    #[component]
    fn Numbers() -> Html {
        let titles = raw::<(i64,)>("SELECT title FROM item", ());
        let store = use_store::<App>();
        match use_live(&store, titles) {
            Ok(numbers) => html! { { numbers.len() } },
            Err(error) => html! { { format!("failed: {error}") } },
        }
    }

    let store = store();
    assert_eq!(html(&store, || html! { <Numbers /> }).await, "0");
    store.commit(added(1)).unwrap();
    let shown = html(&store, || html! { <Numbers /> }).await;
    assert!(shown.starts_with("failed: ") && shown.contains("title"), "{shown}");
}

#[tokio::test]
async fn a_client_document_is_read_and_written() {
    #[component]
    fn Draft() -> Html {
        let store = use_store::<App>();
        let screen = use_document::<App, Screen>(&store);
        let draft = screen.get().unwrap().draft.clone();
        if draft == "from the store" {
            screen.set(|set| set.draft("from the screen")).unwrap();
        }
        html! { { draft } }
    }

    let store = store();
    store.commit(Screen::set().draft("from the store")).unwrap();
    assert_eq!(html(&store, || html! { <Draft /> }).await, "from the store");
    assert_eq!(html(&store, || html! { <Draft /> }).await, "from the screen");
    assert_eq!(store.query(Screen::get()).unwrap().draft, "from the screen");
}
