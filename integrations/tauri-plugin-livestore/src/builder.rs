//! What the app offers to its pages.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use livestore::ErrorChain;
use livestore::Store;
use livestore::live::{List, Live, LiveQuery, Reactive as _, Subscription};
use livestore::schema::{Commit, Document, HasDocument, QueryIn, Schema};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tauri::plugin::TauriPlugin;
use tauri::{Manager as _, RunEvent, Runtime, WindowEvent};

use crate::commands;
use crate::error::Error;
use crate::message::{SyncState, show_list, show_value, to_json};
use crate::pages::{Channel, Fields, Pages, Query, SetDocument, merge};

/// Builds the plugin: which queries the pages of an app can read, and which client documents they can edit.
///
/// The events of the schema can all be committed by a page that has the permission.
pub struct Builder<S: Schema> {
    store: Store<S>,
    queries: HashMap<&'static str, Arc<Query>>,
    documents: HashMap<&'static str, SetDocument>,
}

impl<S: Schema> Builder<S> {
    /// Returns a plugin for the pages of this store. A page can commit, and see how far the store is synced.
    pub fn new(store: Store<S>) -> Self {
        let synced = store.clone();
        let state = move || {
            let status = synced.live_sync_status().map_err(Error::Read)?;
            Ok::<_, Error>(status.map(SyncState::of))
        };
        let read = state.clone();
        let query = Query {
            read: Box::new(move |_| to_json(&*read()?.get())),
            show: Box::new(move |_, channel| Ok(show_value(state()?, channel))),
        };
        let queries = HashMap::from([("sync_status", Arc::new(query))]);
        Self { store, queries, documents: HashMap::new() }
    }

    /// Offers a list to pages, under a name of its own. `query` gets the parameters that the page gives, `null` if
    /// it gives none.
    ///
    /// # Panics
    /// When there is a query of this name already.
    #[must_use]
    pub fn list<P, Q, T>(
        self,
        name: &'static str,
        query: impl Fn(P) -> Q + Send + Sync + 'static,
    ) -> Self
    where
        P: DeserializeOwned,
        Q: QueryIn<S> + Live<Value = List<T>>,
        T: Serialize + Send + Sync + 'static,
    {
        self.query(name, query, show_list)
    }

    /// Offers any other value to pages: one row, a count, a client document of a certain id.
    ///
    /// # Panics
    /// As [`list`](Self::list) does.
    #[must_use]
    pub fn value<P, Q>(
        self,
        name: &'static str,
        query: impl Fn(P) -> Q + Send + Sync + 'static,
    ) -> Self
    where
        P: DeserializeOwned,
        Q: QueryIn<S> + Live<Value: Serialize>,
    {
        self.query(name, query, show_value)
    }

    /// Lets pages show and edit a client document, under [its name](Document::NAME). All windows have the same
    /// one.
    ///
    /// # Panics
    /// As [`list`](Self::list) does.
    #[must_use]
    pub fn document<D>(mut self) -> Self
    where
        S: HasDocument<D>,
        D: Document + Send + Sync,
        D::Set: Commit<S>,
    {
        let store = self.store.clone();
        let set = move |fields: Fields| {
            let before = store.query(D::get())?;
            let after = merge(&before, fields)?;
            let set = before.changes(&after);
            set.map_or(Ok(()), |set| store.commit(set).map(drop)).map_err(Error::Document)
        };
        self.documents.insert(D::NAME, Box::new(set));
        self.value(D::NAME, |()| D::get())
    }

    fn query<P, Q>(
        mut self,
        name: &'static str,
        query: impl Fn(P) -> Q + Send + Sync + 'static,
        show: fn(LiveQuery<Q::Value>, Channel) -> Subscription,
    ) -> Self
    where
        P: DeserializeOwned,
        Q: QueryIn<S> + Live<Value: Serialize>,
    {
        let store = self.store.clone();
        let live = Arc::new(move |params: Value| {
            let params = serde_json::from_value(params)
                .map_err(|source| Error::Params { query: name, source })?;
            Ok::<_, Error>(store.live(query(params))?)
        });
        let read = Arc::clone(&live);
        let query = Query {
            read: Box::new(move |params| to_json(&*read(params)?.get())),
            show: Box::new(move |params, channel| Ok(show(live(params)?, channel))),
        };
        let before = self.queries.insert(name, Arc::new(query));
        assert!(before.is_none(), "two queries have the name {name:?}");
        self
    }

    /// Builds the plugin, for `tauri::Builder::plugin`.
    pub fn build<R: Runtime>(self) -> TauriPlugin<R> {
        let Self { store, queries, documents } = self;
        let committing = store.clone();
        let pages = Arc::new(Pages {
            queries,
            documents,
            commit: Box::new(move |events| {
                Ok(committing.commit_by_name(events)?.as_slice().to_vec())
            }),
            shown: Arc::default(),
        });
        let shown = Arc::clone(&pages.shown);
        tauri::plugin::Builder::new("livestore")
            .js_init_script(include_str!("page.js"))
            .invoke_handler(tauri::generate_handler![
                commands::begin_page,
                commands::commit,
                commands::end,
                commands::live,
                commands::query,
                commands::set_document,
            ])
            .setup(move |app, _| {
                app.manage(pages);
                Ok(())
            })
            .on_event(move |_, event| match event {
                RunEvent::WindowEvent { label, event: WindowEvent::Destroyed, .. } => {
                    shown.end_window(label);
                }
                RunEvent::Exit => {
                    shown.end_all();
                    if let Err(error) = store.clone().close() {
                        tracing::error!(error = %ErrorChain::new(&error), "the store is not closed");
                    }
                }
                _ => {}
            })
            .build()
    }
}

impl<S: Schema> fmt::Debug for Builder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queries: Vec<_> = self.queries.keys().collect();
        f.debug_struct("Builder").field("queries", &queries).finish_non_exhaustive()
    }
}
