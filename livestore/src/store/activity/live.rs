//! An activity as a live value.

use std::collections::VecDeque;
use std::sync::Arc;

use super::entry::{Entries, RowActivity};
use super::{Activity, ActivityError, LogVersion, Moment};
use crate::edge::primitives::{Mutex, lock};
use crate::eventlog::is_after;
use crate::live::{Computed, computed_with};
use crate::store::ReadError;
use crate::store::row_tracer::{RowTracer, Traced};
use crate::table::Table;

/// The entries, the newest first.
type Page<T> = Result<Vec<Arc<RowActivity<T>>>, ActivityError>;

/// The part of the log that was read, and what was found there.
struct Tracing<T> {
    /// It has the confirmed events.
    tracer: RowTracer,
    histories: u64,
    confirmed: VecDeque<Arc<RowActivity<T>>>,
}

/// What was read last.
struct Last<T> {
    tracing: Option<Tracing<T>>,
    page: Option<Arc<Page<T>>>,
}

impl<T: Table + Send + Sync> Activity<T> {
    /// Returns the entries as a live value, which is up to date after every commit, and when others' events arrive
    /// or pending ones are confirmed.
    ///
    /// It has a state of its own, which follows the log as long as the value is there; so the first reading is
    /// a replay, and each later one costs no more than the events since, and the pending ones. It is read when
    /// somebody asks for it, or has subscribed.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::notes::*;
    /// # fn main() -> livestore::Result<()> {
    /// let store = Store::<App>::builder("notes").open()?;
    /// let latest = store.activity::<Note>().limit(10).live()?;
    /// let _guard = latest.subscribe(|latest| match latest {
    ///     Ok(latest) => println!("{} things have happened", latest.len()),
    ///     Err(error) => println!("{error}"),
    /// });
    /// store.commit(added("milk"))?;
    /// assert_eq!(latest.get().as_ref().as_ref().unwrap()[0].event.name, "v1.NoteAdded");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the store is closed. The value is an error as long as the log cannot be read: see [`ActivityError`].
    pub fn live(self) -> Result<Computed<Page<T>>, ReadError> {
        let store = self.store.upgrade().ok_or(ReadError::Closed)?;
        let version = store.with_core(|core| core.log_version.share())?;
        let last = Mutex::new(Last { tracing: None, page: None });
        Ok(computed_with(
            move |get| {
                let LogVersion { number, users: _users } = &version;
                get.of(number);
                self.update(&mut lock(&last))
            },
            |before, now| std::ptr::eq(before, now),
        ))
    }

    fn update(&self, last: &mut Last<T>) -> Arc<Page<T>> {
        let page = match self.read_on(last) {
            Ok(Some(page)) => Arc::new(Ok(page)),
            Ok(None) => match &last.page {
                Some(page) => Arc::clone(page),
                None => Arc::new(Ok(Vec::new())),
            },
            Err(error) => {
                last.tracing = None;
                Arc::new(Err(error))
            }
        };
        last.page = Some(Arc::clone(&page));
        page
    }

    /// Reads what is new. `None` if the page is the same as before.
    fn read_on(
        &self,
        last: &mut Last<T>,
    ) -> Result<Option<Vec<Arc<RowActivity<T>>>>, ActivityError> {
        let moment = Moment::of(&self.store)?;
        let end = self.end(&moment)?;
        let confirmed = if is_after(moment.confirmed, end) { end } else { moment.confirmed };
        let tracing = last.tracing.take().filter(|known| known.histories == moment.histories);
        let (is_new, mut tracing) = match tracing {
            Some(tracing) => (false, tracing),
            None => {
                let Some(tracer) = RowTracer::new(moment.store.schema, T::NAME)? else {
                    return Ok(Some(Vec::new()));
                };
                let histories = moment.histories;
                (true, Tracing { tracer, histories, confirmed: VecDeque::new() })
            }
        };
        let known = tracing.confirmed.back().map(|entry| entry.event.seq);
        let mut entries = Entries::new(&self.selection, moment.confirmed)
            .behind(std::mem::take(&mut tracing.confirmed));
        let mut traced = tracing.tracer.run(&moment.log, confirmed, &mut entries.each())?;
        tracing.confirmed = entries.into_found()?;
        let mut entries =
            Entries::new(&self.selection, moment.confirmed).behind(tracing.confirmed.clone());
        if traced == Traced::Whole && is_after(end, confirmed) {
            traced = tracing.tracer.run_pending(&moment.log, end, &mut entries.each())?;
        }
        if traced == Traced::Broken {
            // The confirmed part cannot be separated from the pending one: all of it at once.
            return self.read().map(Some);
        }
        let page = entries.finish()?;
        let has_pending =
            |page: &[Arc<RowActivity<T>>]| page.first().is_some_and(|it| it.is_pending);
        let had_pending = matches!(last.page.as_deref(), Some(Ok(page)) if has_pending(page));
        let is_same = !is_new
            && known == tracing.confirmed.back().map(|entry| entry.event.seq)
            && !had_pending
            && !has_pending(&page)
            && matches!(last.page.as_deref(), Some(Ok(_)));
        last.tracing = Some(tracing);
        Ok((!is_same).then_some(page))
    }
}
