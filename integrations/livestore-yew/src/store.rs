//! The store that components share.

use livestore::Store;
use livestore::schema::Schema;
use yew::prelude::{
    Children, ContextProvider, Html, Properties, component, hook, html, use_context,
};

/// The properties of a [`StoreProvider`].
#[derive(Properties)]
pub struct StoreProviderProps<S: Schema> {
    /// The store, opened.
    pub store: Store<S>,
    /// The components that use it.
    #[prop_or_default]
    pub children: Children,
}

/// Gives a store to the components below.
///
/// ```
/// use livestore_yew::{StoreProvider, use_live, use_store};
/// use yew::prelude::*;
/// # use livestore::{Store, table::Table as _};
/// # use livestore_testing::sample::items::{App, Item};
///
/// #[derive(Properties)]
/// struct Props {
///     store: Store<App>,
/// }
/// # impl PartialEq for Props { fn eq(&self, other: &Self) -> bool { true } }
///
/// #[component]
/// fn Main(props: &Props) -> Html {
///     html! { <StoreProvider<App> store={props.store.clone()}><Count /></StoreProvider<App>> }
/// }
///
/// #[component]
/// fn Count() -> Html {
///     let store = use_store::<App>();
///     match use_live(&store, Item::all().count()) {
///         Ok(count) => html! { <p>{ **count }{ " items" }</p> },
///         Err(error) => html! { <pre>{ error.to_string() }</pre> },
///     }
/// }
/// ```
#[component]
pub fn StoreProvider<S: Schema>(props: &StoreProviderProps<S>) -> Html {
    html! {
        <ContextProvider<Given<S>> context={Given(props.store.clone())}>
            { props.children.clone() }
        </ContextProvider<Given<S>>>
    }
}

/// Returns the store that a [`StoreProvider`] above gives.
///
/// # Panics
/// When there is none.
#[hook]
pub fn use_store<S: Schema>() -> Store<S> {
    match use_context::<Given<S>>() {
        Some(Given(store)) => store,
        None => panic!("no component above is a `StoreProvider` with a store of `{}`", S::NAME),
    }
}

/// A store as a context. Components need not be rendered again because there is another handle to it.
struct Given<S: Schema>(Store<S>);

impl<S: Schema> Clone for Given<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: Schema> PartialEq for Given<S> {
    fn eq(&self, other: &Self) -> bool {
        is_same(&self.0, &other.0)
    }
}

impl<S: Schema> PartialEq for StoreProviderProps<S> {
    fn eq(&self, other: &Self) -> bool {
        is_same(&self.store, &other.store) && self.children == other.children
    }
}

/// A session has one open store.
fn is_same<S: Schema>(left: &Store<S>, right: &Store<S>) -> bool {
    (left.store_id(), left.session_id()) == (right.store_id(), right.session_id())
}
