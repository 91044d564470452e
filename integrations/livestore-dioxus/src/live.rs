//! Live queries.

use std::sync::Arc;

use dioxus::core::{ReactiveContext, spawn, use_hook};
use dioxus::prelude::{CopyValue, ReadSignal, ReadableExt as _, WritableExt as _, use_callback};
use futures_util::{StreamExt as _, future};
use livestore::live::{Live, LiveQuery, LiveValue, Reactive as _};
use livestore::schema::{QueryIn, Schema};

use crate::LiveResult;
use crate::shown::{Beginning, Output, Show, Shown, Started};

/// Shows a query: the component that reads the result is drawn again when it changes.
///
/// The query may differ from one rendering to the next, with the component's props for example: then the
/// other one is shown. Equal queries share one live query in the store, also across components.
///
/// ```
/// # use dioxus::prelude::*;
/// # use livestore::table::{Compare as _, Table as _};
/// # use livestore_dioxus::{use_live, use_store};
/// # use livestore_testing::sample::items::{App, Item};
/// #[component]
/// fn Title(id: i64) -> Element {
///     let item = use_live(use_store::<App>(), Item::get(id));
///     rsx! {
///         match &*item()? {
///             Some(item) => rsx! { "{item.title}" },
///             None => rsx! { "no such item" },
///         }
///     }
/// }
/// ```
pub fn use_live<S: Schema, Q: QueryIn<S> + Live>(
    store: ReadSignal<livestore::Store<S>>,
    query: Q,
) -> ReadSignal<LiveResult<Q::Value>> {
    use_shown(store, query, || Value)
}

/// Shows a query that signals decide about: `query` is called again when a signal that it reads changes.
///
/// ```
/// # use dioxus::prelude::*;
/// # use livestore::table::{Compare as _, Table as _};
/// # use livestore_dioxus::{use_live_with, use_store};
/// # use livestore_testing::sample::items::{App, Item};
/// fn items() -> Element {
///     let mut done = use_signal(|| false);
///     let items = use_live_with(use_store::<App>(), move || Item::filter(Item::DONE.eq(done())));
///     rsx! {
///         button { onclick: move |_| done.toggle(), "The others" }
///         for item in items()?.iter() {
///             p { key: "{item.id}", "{item.title}" }
///         }
///     }
/// }
/// ```
pub fn use_live_with<S: Schema, Q: QueryIn<S> + Live>(
    store: ReadSignal<livestore::Store<S>>,
    query: impl FnMut() -> Q + 'static,
) -> ReadSignal<LiveResult<Q::Value>> {
    use_shown_with(store, query, || Value)
}

pub(crate) fn use_shown<S: Schema, Q: QueryIn<S> + Live, W: Show<Q::Value>>(
    store: ReadSignal<livestore::Store<S>>,
    query: Q,
    show: impl FnOnce() -> W,
) -> ReadSignal<Output<Q::Value, W>> {
    let mut shown = use_hook(|| CopyValue::new(None::<Shown<Q::Value, W>>));
    let before = *shown.peek();
    if let Some(before) = before {
        before.set(start(store, query, before.live()));
        return before.read;
    }
    let first = Shown::new(show(), start(store, query, None));
    shown.set(Some(first));
    first.read
}

pub(crate) fn use_shown_with<S: Schema, Q: QueryIn<S> + Live, W: Show<Q::Value>>(
    store: ReadSignal<livestore::Store<S>>,
    mut query: impl FnMut() -> Q + 'static,
    show: impl FnOnce() -> W,
) -> ReadSignal<Output<Q::Value, W>> {
    let query = use_callback(move |()| query());
    use_hook(|| {
        let (context, mut changes) = ReactiveContext::new();
        let next = move |before| start(store, context.reset_and_run_in(|| query.call(())), before);
        let shown = Shown::new(show(), next(None));
        spawn(async move {
            while changes.next().await.is_some() {
                shown.set(next(shown.live()));
            }
        });
        shown.read
    })
}

/// Starts a query, in place of the one `before`.
fn start<S: Schema, Q: QueryIn<S> + Live>(
    store: ReadSignal<livestore::Store<S>>,
    query: Q,
    before: Option<LiveQuery<Q::Value>>,
) -> Started<Q::Value> {
    let store = store.peek();
    let live = match before {
        Some(before) => store.replace_live(&before, query),
        None => store.live(query),
    };
    live.map_err(Arc::new)
}

/// Shows the value as it is.
pub(crate) struct Value;

impl<V: LiveValue> Show<V> for Value {
    type Output = Arc<V>;

    fn start(&self, live: &LiveQuery<V>) -> Beginning<LiveResult<V>> {
        // The version first: a change between the two is shown twice, never not at all.
        let (mut seen, first) = (live.version(), live.try_get());
        let (live, values) = (live.clone(), live.stream());
        let news = values.filter_map(move |_| {
            let version = live.version();
            let is_new = std::mem::replace(&mut seen, version) != version;
            future::ready(is_new.then(|| live.try_get()))
        });
        Beginning { first, news: Box::pin(news) }
    }
}
