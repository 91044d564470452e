//! Live queries.

use std::sync::Arc;

use futures_util::{StreamExt as _, future};
use leptos::prelude::Signal;
use livestore::Store;
use livestore::live::{Live, LiveQuery, LiveValue, Reactive as _};
use livestore::schema::{QueryIn, Schema};

use crate::LiveResult;
use crate::shown::{Beginning, Show, shown};

/// Returns a signal of a query's value. `query` is called again when a signal that it reads changes.
///
/// Equal queries share one live query in the store, also across components.
///
/// ```
/// # use leptos::prelude::*;
/// # use livestore::table::{Compare as _, Table as _};
/// # use livestore_leptos::{use_live, use_store};
/// # use livestore_testing::sample::items::{App, Item};
/// #[component]
/// fn Count() -> impl IntoView {
///     let done = RwSignal::new(false);
///     let count = use_live(&use_store::<App>(), move || Item::filter(Item::DONE.eq(done.get())).count());
///     view! {
///         <button on:click=move |_| done.update(|done| *done = !*done)>"The others"</button>
///         <ErrorBoundary fallback=|errors| format!("{:?}", errors.get())>
///             {move || count.get().map(|count| format!("{} items", **count))}
///         </ErrorBoundary>
///     }
/// }
/// ```
pub fn use_live<S: Schema, Q: QueryIn<S> + Live>(
    store: &Store<S>,
    query: impl Fn() -> Q + Send + Sync + 'static,
) -> Signal<LiveResult<Q::Value>> {
    shown(store, query, Value)
}

/// Shows the value as it is.
struct Value;

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
