//! The store that components share.

use dioxus::prelude::{ReadSignal, Signal, consume_context, use_context_provider, use_hook};
use livestore::schema::Schema;

/// Opens a store when the component is drawn for the first time, and gives it to all components below.
///
/// ```
/// use dioxus::prelude::*;
/// use livestore_dioxus::{use_live, use_store, use_store_provider};
/// # use livestore::{Store, table::Table as _};
/// # use livestore_testing::sample::items::{App, Item};
///
/// fn app(store: Store<App>) -> Element {
///     use_store_provider(|| store);
///     rsx! { Count {} }
/// }
///
/// #[component]
/// fn Count() -> Element {
///     let count = use_live(use_store::<App>(), Item::all().count());
///     rsx! { "{**count()?} items" }
/// }
///
/// # let store = Store::<App>::builder("items").open()?;
/// let mut dom = VirtualDom::new_with_props(app, store);
/// dom.rebuild_in_place();
/// assert_eq!(dioxus_ssr::render(&dom), "0 items");
/// # Ok::<(), livestore::Error>(())
/// ```
///
/// In a browser, where opening a store takes a moment, `await` it first, in a `use_resource` for example.
pub fn use_store_provider<S: Schema>(
    open: impl FnOnce() -> livestore::Store<S>,
) -> ReadSignal<livestore::Store<S>> {
    use_context_provider(open);
    use_store()
}

/// Returns the store that a component above gives, as a signal, so that closures can copy it: `store()` is
/// the store.
///
/// # Panics
/// When no component above gives one, by [`use_store_provider`] or `with_context`.
pub fn use_store<S: Schema>() -> ReadSignal<livestore::Store<S>> {
    use_hook(|| ReadSignal::from(Signal::new(consume_context::<livestore::Store<S>>())))
}
