//! A store's live queries.

use std::ops::Range;
use std::sync::Arc;

use super::{ReadError, Store};
use crate::edge::primitives::{Mutex, lock};
use crate::error::Unavailable;
use crate::live::{
    Computed, Getter, Inspection, Live, LiveQuery, LiveReport, LiveWindow, Reactive, WindowQuery,
    computed_with, deliver, enqueue,
};
use crate::schema::{QueryIn, Schema};
use crate::table::{QueryError, Select, Source};

impl<S: Schema> Store<S> {
    /// Starts a live query, whose value is kept up to date with the store.
    ///
    /// Equal queries share one value. To start one costs one run of the query; from then on, a
    /// commit costs time for the live queries that its rows can matter to.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::todos::*;
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
    /// When the query fails, or the store is closed.
    pub fn live<Q: QueryIn<S> + Live>(&self, query: Q) -> Result<LiveQuery<Q::Value>, QueryError> {
        self.start_live(query, None)
    }

    fn start_live<Q: Live>(
        &self,
        query: Q,
        begin_with: Option<Arc<Q::Value>>,
    ) -> Result<LiveQuery<Q::Value>, QueryError> {
        let mut core = self.inner.core()?;
        let core = core.as_mut().ok_or(Unavailable::Closed)?;
        core.live.start(query, begin_with, &core.state.reader(&self.inner.window_id))
    }

    /// Starts a live query in place of another one, as a screen does whose parameters have changed. If it
    /// fails, it has the value of `before` until it works, and [`error`](crate::live::Reactive::error) says why.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::notes::*;
    /// # fn main() -> livestore::Result<()> {
    /// let store = Store::<App>::builder("notes").open()?;
    /// let numbers = |id| raw::<(i64,)>("SELECT text FROM note WHERE id = ?", (id,));
    /// store.commit(added("milk"))?;                       // its text is no number
    /// assert!(store.live(numbers("milk")).is_err());
    ///
    /// let bread = store.live(numbers("bread"))?;
    /// let milk = store.replace_live(&bread, numbers("milk"))?;
    /// assert!(milk.error().is_some());
    /// let again = store.replace_live(&milk, numbers("milk"))?;
    /// assert_eq!(again.id(), milk.id());                  // it is live, and works as soon as it can
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the query cannot be live, or the store is closed.
    pub fn replace_live<Q: QueryIn<S> + Live>(
        &self,
        before: &LiveQuery<Q::Value>,
        query: Q,
    ) -> Result<LiveQuery<Q::Value>, QueryError> {
        self.start_live(query, Some(Reactive::get(before)))
    }

    /// Starts a live query that depends on other values. When a value that `query` reads changes,
    /// it is called again, and the query that it returns replaces the one before.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::todos::*;
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
    /// When the first query fails. While a later one fails, the last value stays, and
    /// [`error`](crate::live::Reactive::error) says why.
    #[track_caller]
    pub fn live_with<Q: QueryIn<S> + Live>(
        &self,
        query: impl Fn(&Getter) -> Q + Send + Sync + 'static,
    ) -> Result<Computed<Q::Value>, QueryError> {
        let first = self.live(query(&Getter::default()))?;
        let (store, last) = (self.clone(), Mutex::new(first));
        let compute = move |get: &Getter| {
            let now = lock(&last).get();
            let live = store.start_live(query(get), Some(now)).unwrap_or_else(|error| {
                get.fail(Arc::new(error));
                lock(&last).clone()
            });
            let before = std::mem::replace(&mut *lock(&last), live.clone());
            drop(before);
            get.of(&live)
        };
        Ok(computed_with(compute, |left, right| std::ptr::eq(left, right)))
    }

    /// Starts a window over a long list: a live query of the rows of `range`, and of the number of rows in
    /// all. It costs what the rows of the range cost, and the range can be changed.
    ///
    /// That holds for the rows of one table, filtered and ordered in any way; other queries are run again when
    /// a row that can matter has changed. To read a far range quickly, SQLite needs an index of what the
    /// query is ordered by.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::todos::*;
    /// # fn main() -> livestore::Result<()> {
    /// # let store = Store::<App>::builder("todos").open()?;
    /// for n in 0..1_000 {
    ///     let text = format!("Todo {n:03}");
    ///     store.commit(TodoEvent::Created { id: new_id(), text, created_at: now() })?;
    /// }
    /// let window = store.live_window(Todo::all().order_by(Todo::TEXT), 0..50)?;
    /// assert_eq!((window.get().rows().len(), window.get().total()), (50, 1_000));
    ///
    /// window.set_range(500..550)?;                    // the user scrolls
    /// assert_eq!(window.get().rows()[0].text, "Todo 500");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the query fails, or the store is closed.
    pub fn live_window<From, O>(
        &self,
        query: Select<From, O>,
        range: Range<usize>,
    ) -> Result<LiveWindow<O>, QueryError>
    where
        From: Source + 'static,
        O: Send + Sync + 'static,
        Select<From, O>: QueryIn<S>,
    {
        let query = WindowQuery::new(query, range);
        let (weak, wanted) = (self.downgrade(), Arc::clone(query.wanted()));
        let live = self.start_live(query, None)?;
        let range = Arc::clone(&wanted);
        Ok(LiveWindow::new(live, wanted, move |live, new| {
            let store = weak.upgrade().ok_or(Unavailable::Closed)?;
            {
                let mut core = store.inner.core()?;
                let core = core.as_mut().ok_or(Unavailable::Closed)?;
                *lock(&range) = new;
                enqueue(core.live.adjust(live, &core.state.reader(&store.inner.window_id)));
            }
            deliver();
            Ok(())
        }))
    }

    /// Returns how a query is kept up to date and why, how often it ran, and how long that took. If
    /// the query is not live, it is started for this report.
    ///
    /// [`LiveQuery::report`] returns the same for a live query that you have. A query whose tier is
    /// [`Rerun`](crate::live::Tier::Rerun) takes its time in each commit that can matter to it.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::todos::*;
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
    /// When the query fails, or the store is closed.
    pub fn explain_live<Q: QueryIn<S> + Live>(&self, query: Q) -> Result<LiveReport, QueryError> {
        Ok(self.live(query)?.report())
    }

    /// Returns a snapshot of all live queries and of the values that are computed from them, for
    /// tools. [`Inspection`] has an example.
    ///
    /// The runs that it reports are always timed, which costs one reading of the clock for each live
    /// query that a commit affects.
    ///
    /// # Errors
    /// When the store is closed.
    pub fn inspect(&self) -> Result<Inspection, ReadError> {
        let roots = {
            let mut core = self.inner.core()?;
            let core = core.as_mut().ok_or(Unavailable::Closed)?;
            core.live.roots(&core.state.reader(&self.inner.window_id))?
        };
        Ok(roots.inspect())
    }
}
