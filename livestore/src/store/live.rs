//! Live queries of a store.

use super::{ReadError, Store};
use crate::error::{Closed, ErrorChain};
use crate::live::primitives::{Mutex, lock};
use crate::live::{Computed, Get, Inspection, Live, LiveQuery, LiveReport, computed_with};
use crate::schema::Schema;
use crate::table::QueryError;

impl<S: Schema> Store<S> {
    /// A query whose value follows the store.
    ///
    /// Equal queries share one. Starting it costs one run of the query; from then on, a commit pays
    /// for the queries that its rows can matter to.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/app/mod.rs"));
    /// # fn main() -> livestore::Result<()> {
    /// # let store = Store::<App>::builder("todos").open()?;
    /// let open = store.live(Todo::filter(Todo::COMPLETED.eq(false)).order_by(Todo::CREATED_AT.desc()))?;
    /// let _guard = open.subscribe(|todos| println!("{} open", todos.len()));
    /// store.commit(TodoEvent::Created { id: new_id(), text: "Milk".into(), created_at: now() })?;
    /// assert_eq!(open.get()[0].text, "Milk");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the query fails.
    pub fn live<Q: Live>(&self, query: Q) -> Result<LiveQuery<Q::Value>, QueryError> {
        let mut core = self.inner.core();
        let core = core.as_mut().ok_or(Closed)?;
        core.live.start(query, &core.state.reader(&self.inner.session_id))
    }

    /// A live query that depends on other values: when one that `query` reads changes, the query is
    /// another.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/app/mod.rs"));
    /// # fn main() -> livestore::Result<()> {
    /// # use livestore::live::signal;
    /// # let store = Store::<App>::builder("todos").open()?;
    /// let wanted = signal(false);
    /// let todos = store.live_with({
    ///     let wanted = wanted.clone();
    ///     move |get| Todo::filter(Todo::COMPLETED.eq(*get.of(&wanted)))
    /// })?;
    /// assert!(todos.get().is_empty());
    /// wanted.set(true);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the first query fails. A later one that fails leaves the value as it was.
    #[track_caller]
    pub fn live_with<Q: Live>(
        &self,
        query: impl Fn(&Get) -> Q + Send + Sync + 'static,
    ) -> Result<Computed<Q::Value>, QueryError> {
        let first = self.live(query(&Get::default()))?;
        let (store, last) = (self.clone(), Mutex::new(first));
        let compute = move |get: &Get| {
            let live = store.live(query(get)).unwrap_or_else(|error| {
                tracing::error!(error = %ErrorChain::new(&error), "a live query failed; the last one stays");
                lock(&last).clone()
            });
            let before = std::mem::replace(&mut *lock(&last), live.clone());
            drop(before);
            get.of(&live)
        };
        Ok(computed_with(compute, |left, right| std::ptr::eq(left, right)))
    }

    /// How a query is kept up to date and why not a better way, how often it ran and how long it
    /// took. A query that is not live is started for it.
    ///
    /// [`LiveQuery::report`] says the same of a live query at hand.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/app/mod.rs"));
    /// # fn main() -> livestore::Result<()> {
    /// # use livestore::live::Tier;
    /// # let store = Store::<App>::builder("todos").open()?;
    /// let todo = store.live(Todo::get("a"))?;
    /// store.commit(TodoEvent::Created { id: "a".into(), text: "Milk".into(), created_at: now() })?;
    /// let report = store.explain_live(Todo::get("a"))?;
    /// assert_eq!((report.tier, report.reason), (Tier::Point, "it is one row, by primary key"));
    /// assert_eq!((report.runs, report.changes), (2, 1));
    /// assert!(report.last <= report.took);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the query fails.
    pub fn explain_live<Q: Live>(&self, query: Q) -> Result<LiveReport, QueryError> {
        Ok(self.live(query)?.report())
    }

    /// A picture of all live queries and of what is made of them, for tools. [`Inspection`] has an
    /// example.
    ///
    /// Every run is timed, at the cost of reading the clock once per query that a commit reaches.
    ///
    /// # Errors
    /// When the store is closed.
    pub fn inspect(&self) -> Result<Inspection, ReadError> {
        let roots = {
            let mut core = self.inner.core();
            let core = core.as_mut().ok_or(Closed)?;
            core.live.roots(&core.state.reader(&self.inner.session_id))?
        };
        Ok(roots.inspect())
    }
}
