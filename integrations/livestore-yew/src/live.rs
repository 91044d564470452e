//! Live queries.

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::future::{AbortHandle, abortable};
use livestore::Store;
use livestore::live::{Live, LiveQuery, LiveValue, Reactive};
use livestore::schema::{QueryIn, Schema};
use yew::platform::spawn_local;
use yew::prelude::{hook, use_effect_with, use_force_update, use_mut_ref};

use crate::LiveResult;

/// Returns a query's value, and renders the component again when it changes.
///
/// The query may differ from one rendering to the next, with the component's properties or state: then the
/// other one is shown. Equal queries share one live query in the store, also across components. The front page
/// has an example.
#[hook]
pub fn use_live<S, Q>(store: &Store<S>, query: Q) -> LiveResult<Q::Value>
where
    S: Schema,
    Q: QueryIn<S> + Live,
{
    let render = use_force_update();
    let shown = use_mut_ref(|| None::<LiveQuery<Q::Value>>);
    let before = shown.take();
    let live = match &before {
        Some(before) => store.replace_live(before, query),
        None => store.live(query),
    };
    *shown.borrow_mut() = live.as_ref().ok().cloned();
    // The version first: a change between the two is rendered twice, never not at all.
    let seen = live.as_ref().map_or(0, Reactive::version);
    let value = live.as_ref().map_err(|error| Arc::new(error.clone())).and_then(Reactive::try_get);
    use_effect_with(live.as_ref().ok().map(Reactive::id), move |_| {
        let task = live.ok().map(|live| watch(live, seen, move || render.force_update()));
        move || {
            if let Some(task) = task {
                task.abort();
            }
        }
    });
    value
}

/// Calls `changed` whenever the query has another version than the last one seen, in a task of this thread: not
/// in that of the commit, which may be another one, or may be rendering.
fn watch<V: LiveValue>(
    live: LiveQuery<V>,
    mut seen: u64,
    changed: impl Fn() + 'static,
) -> AbortHandle {
    let (task, handle) = abortable(async move {
        let mut values = live.stream();
        while values.next().await.is_some() {
            let version = live.version();
            if std::mem::replace(&mut seen, version) != version {
                changed();
            }
        }
    });
    spawn_local(async move {
        _ = task.await;
    });
    handle
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a test has threads")]

    use std::cell::{Cell, RefCell};
    use std::rc::Rc;
    use std::thread;

    use livestore::live::List;
    use livestore::table::{Raw, Table as _, raw};
    use livestore_testing::sample::items::{App, Item, ItemEvent, added};
    use tokio::task::{LocalSet, yield_now};

    use super::*;

    /// A component as Yew has it in a page: its rendering, and its task.
    struct Rendered<V: LiveValue> {
        live: LiveQuery<V>,
        renderings: Rc<Cell<usize>>,
        task: AbortHandle,
    }

    impl<V: LiveValue> Rendered<V> {
        fn new<Q: QueryIn<App> + Live<Value = V>>(store: &Store<App>, query: Q) -> Self {
            let live = store.live(query).unwrap();
            let renderings = Rc::<Cell<usize>>::default();
            let count = Rc::clone(&renderings);
            let task = watch(live.clone(), live.version(), move || count.set(count.get() + 1));
            Self { live, renderings, task }
        }
    }

    async fn in_page<F: Future<Output = ()>>(test: impl FnOnce(Store<App>) -> F) {
        let store = Store::<App>::builder("items").open().unwrap();
        LocalSet::new().run_until(test(store)).await;
    }

    /// Lets every task do what it has to do.
    async fn run_until_idle() {
        for _ in 0..100 {
            yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_change_renders_once_and_what_was_seen_does_not() {
        in_page(|store| async move {
            let page = Rendered::new(&store, Item::all().count());
            run_until_idle().await;
            assert_eq!(page.renderings.get(), 0);
            store.commit([added(1), added(2)]).unwrap();
            assert_eq!(page.renderings.get(), 0, "not within the commit");
            run_until_idle().await;
            assert_eq!(page.renderings.get(), 1);
            store.commit(ItemEvent::Done { id: 1 }).unwrap();
            run_until_idle().await;
            assert_eq!(page.renderings.get(), 1, "the count is the same");
        })
        .await;
    }

    #[tokio::test]
    async fn unmounting_frees_the_query() {
        in_page(|store| async move {
            let Rendered { live, task, .. } = Rendered::new(&store, Item::all());
            drop(live);
            run_until_idle().await;
            assert_eq!(store.inspect().unwrap().queries.len(), 1);
            task.abort();
            run_until_idle().await;
            store.commit(added(1)).unwrap();
            assert_eq!(store.inspect().unwrap().queries.len(), 0);
        })
        .await;
    }

    #[tokio::test]
    async fn the_error_of_a_query_is_shown() {
        in_page(|store| async move {
            let titles: Raw<(i64,)> = raw("SELECT title FROM item WHERE done = 0", ());
            let page = Rendered::new(&store, titles);
            store.commit(added(1)).unwrap();
            run_until_idle().await;
            assert_eq!(page.renderings.get(), 1);
            assert!(page.live.try_get().unwrap_err().to_string().contains("title"));
            store.commit(ItemEvent::Done { id: 1 }).unwrap();
            run_until_idle().await;
            assert_eq!(page.renderings.get(), 2);
            assert!(page.live.try_get().is_ok());
        })
        .await;
    }

    #[tokio::test]
    async fn a_panic_in_a_component_harms_nothing() {
        in_page(|store| async move {
            let live = store.live(Item::all()).unwrap();
            let fragile = watch(live.clone(), live.version(), || panic!("it cannot be rendered"));
            let page = Rendered::new(&store, Item::all());
            store.commit(added(1)).unwrap();
            run_until_idle().await;
            store.commit(added(2)).unwrap();
            run_until_idle().await;
            assert_eq!((page.renderings.get(), page.live.get().len()), (2, 2));
            fragile.abort();
        })
        .await;
    }

    #[tokio::test]
    async fn a_component_commits_while_it_is_drawn_and_while_it_reads() {
        in_page(|store| async move {
            let live = store.live(Item::all()).unwrap();
            let lengths = Rc::<RefCell<Vec<usize>>>::default();
            let (seen, reading, committing) = (Rc::clone(&lengths), live.clone(), store.clone());
            let _task = watch(live, 0, move || {
                let items: Arc<List<Item>> = reading.get();
                let mut seen = seen.borrow_mut();
                seen.push(items.len());
                if items.len() < 3 {
                    committing.commit(added(i64::try_from(items.len()).unwrap() + 1)).unwrap();
                }
            });
            store.commit(added(1)).unwrap();
            run_until_idle().await;
            assert_eq!(*lengths.borrow(), [1, 2, 3]);
        })
        .await;
    }

    #[tokio::test]
    async fn what_another_thread_commits_arrives() {
        in_page(|store| async move {
            let page = Rendered::new(&store, Item::all());
            let ui = thread::current().id();
            let live = page.live.clone();
            let _task = watch(live, 0, move || assert_eq!(thread::current().id(), ui));
            let writing = store.clone();
            let writer = thread::spawn(move || {
                (1..=200).for_each(|id| drop(writing.commit(added(id)).unwrap()));
            });
            while !writer.is_finished() {
                yield_now().await;
            }
            writer.join().unwrap();
            run_until_idle().await;
            assert!((1..=200).contains(&page.renderings.get()));
            assert_eq!(page.live.get().len(), 200);
        })
        .await;
    }
}
