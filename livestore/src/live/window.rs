//! Windows over long lists.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::LivePlan;
use super::dependency::Dependency;
use super::diff::Diffs;
use super::inspect::LiveReport;
use super::list::List;
use super::maintain::list::TableList;
use super::maintain::window::{ListWindow, RerunWindow};
use super::maintain::{Maintain, Plan, Tier};
use super::plan::{hash, label, tier};
use super::query::{Live, LiveQuery};
use super::reactive::{NodeRef, Reactive};
use super::row::SharedRow;
use crate::edge::primitives::{Mutex, lock};
use crate::schema::SchemaDef;
use crate::table::{Query, QueryError, Reader, Select, SelectAst, Source};

/// Some consecutive rows of a list, and the number of rows that the list has: the value of a
/// [`LiveWindow`].
pub struct Window<T> {
    pub(super) rows: List<T>,
    /// The position of the first row, and the number of rows of the list.
    pub(super) place: (usize, usize),
}

impl<T> Window<T> {
    /// Returns the rows. There are fewer than the range is long if the list ends within it.
    pub fn rows(&self) -> &List<T> {
        &self.rows
    }

    /// Returns the position in the list of the first row.
    pub fn start(&self) -> usize {
        self.place.0
    }

    /// Returns the number of rows of the list.
    pub fn total(&self) -> usize {
        self.place.1
    }

    /// Returns the row at this position of the list, or `None` if the window does not show it.
    pub fn get(&self, position: usize) -> Option<&SharedRow<T>> {
        self.rows.get(position.checked_sub(self.start())?)
    }

    pub(super) fn matches(left: &Self, right: &Self) -> bool {
        left.place == right.place && left.rows.matches(&right.rows, 0..right.rows.len())
    }
}

/// A window over a long list: a live query of the rows that a screen shows, at a cost that depends on their
/// number and not on the list's. [`Store::live_window`](crate::Store::live_window) makes it.
///
/// It reads the rows of its range and a few on either side. A commit that changes others costs it no more
/// than to count them. A handle is cheap to clone; all clones have the same range.
pub struct LiveWindow<T: Send + Sync + 'static> {
    live: LiveQuery<Window<T>>,
    wanted: SharedRange,
    scroll: Scroll<T>,
}

/// The range that a window wants, which its handles and its node share.
pub(crate) type SharedRange = Arc<Mutex<Range<usize>>>;

/// Sets the range, and adjusts the value.
type Scroll<T> =
    Arc<dyn Fn(&LiveQuery<Window<T>>, Range<usize>) -> Result<(), QueryError> + Send + Sync>;

impl<T: Send + Sync + 'static> LiveWindow<T> {
    pub(crate) fn new(
        live: LiveQuery<Window<T>>,
        wanted: SharedRange,
        scroll: impl Fn(&LiveQuery<Window<T>>, Range<usize>) -> Result<(), QueryError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self { live, wanted, scroll: Arc::new(scroll) }
    }

    /// Returns the range that was set last.
    pub fn range(&self) -> Range<usize> {
        lock(&self.wanted).clone()
    }

    /// Shows the rows of another range. When it returns, the window has them, and its subscribers were
    /// called.
    ///
    /// Where the ranges overlap, the rows are read that are new, and [`diffs`](Self::diffs) has the rows that
    /// come and go; otherwise, all rows of the range are read.
    ///
    /// # Errors
    /// When the store is closed. A row of the range that cannot be read is an
    /// [`error`](Reactive::error) of the window.
    pub fn set_range(&self, range: Range<usize>) -> Result<(), QueryError> {
        (self.scroll)(&self.live, range)
    }

    /// Returns the window's rows as they are now, and then every change of them, row by row. Positions are
    /// those in the window.
    pub fn diffs(&self) -> Diffs<T> {
        self.live.row_diffs()
    }

    /// Returns how the window is kept up to date, and its statistics.
    pub fn report(&self) -> LiveReport {
        self.live.report()
    }
}

impl<T: Send + Sync + 'static> Reactive for LiveWindow<T> {
    type Value = Window<T>;

    fn node(&self) -> NodeRef<Window<T>> {
        self.live.node()
    }
}

/// The query of a window.
pub(crate) struct WindowQuery<S: Source, O> {
    select: Select<S, O>,
    wanted: SharedRange,
}

impl<S: Source, O> WindowQuery<S, O> {
    pub(crate) fn new(select: Select<S, O>, range: Range<usize>) -> Self {
        Self { select, wanted: Arc::new(Mutex::new(range)) }
    }

    pub(crate) fn wanted(&self) -> &SharedRange {
        &self.wanted
    }
}

impl<S: Source, O> Query for WindowQuery<S, O> {
    type Output = Window<O>;

    fn run(&self, reader: &Reader<'_>) -> Result<Window<O>, QueryError> {
        let (select, decode) = self.select.parts();
        let (wanted, bounds) = (lock(&self.wanted).clone(), Bounds::of(select));
        let within = bounds.within(&wanted);
        let part = SelectAst {
            offset: Some(within.start as u64),
            limit: Some(within.len() as u64),
            ..select.clone()
        };
        let rows = reader.select(&part, decode)?.into_iter().map(SharedRow::new).collect();
        let counting = SelectAst { counted: true, ..select.clone() };
        let counted = reader.select(&counting, |row| row.get::<u64>(0))?;
        let total = counted.into_iter().map(size).sum();
        Ok(Window { rows, place: (wanted.start, total) })
    }
}

impl<S: Source + 'static, O: Send + Sync + 'static> Live for WindowQuery<S, O> {
    type Value = Window<O>;

    /// Each window has a node of its own: it is scrolled by itself.
    fn key(&self, _: &Reader<'_>) -> Result<u128, QueryError> {
        let (sql, binds) = self.select.parts().0.to_sql(None)?;
        Ok(hash(&format!("{:p} {sql}", Arc::as_ptr(&self.wanted)), &binds))
    }

    fn plan(
        self,
        _: &Reader<'_>,
        _: &'static SchemaDef,
    ) -> Result<LivePlan<Window<O>>, QueryError> {
        let (select, decode) = self.select.parts();
        let asked = select.clone();
        let label = Box::new(move || match asked.to_sql(None) {
            Ok((sql, binds)) => format!("window of {}", label(&sql, &binds)),
            Err(error) => crate::error::ErrorChain::new(&error).to_string(),
        });
        let mut dependencies = Dependency::of_select(select);
        let (tier, reason) = tier(select, None);
        let wanted = Arc::clone(&self.wanted);
        let (tier, maintain) = match (tier, dependencies.first_mut()) {
            (Tier::Rows, Some(dependency)) => {
                // Any column can decide where a row stands in the list.
                dependency.columns = None;
                let list = TableList::new(select, dependency.clone(), decode, None);
                let window = ListWindow::new(list, Bounds::of(select), wanted);
                (Tier::Rows, Box::new(window) as Box<dyn Maintain<Window<O>>>)
            }
            _ => {
                let run = Box::new(move |reader: &Reader<'_>| self.run(reader));
                let window = RerunWindow::new(run, dependencies.clone(), wanted);
                (Tier::Rerun, Box::new(window) as Box<dyn Maintain<Window<O>>>)
            }
        };
        Ok(LivePlan(Plan { tier, reason, label, dependencies, maintain }))
    }
}

/// The part of all rows that the query of a window returns, by its own offset and limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    offset: usize,
    limit: usize,
}

impl Bounds {
    fn of(select: &SelectAst) -> Self {
        Self { offset: select.offset.map_or(0, size), limit: select.limit.map_or(usize::MAX, size) }
    }

    /// Returns the positions, among all rows, of a range of the query's.
    pub(super) fn within(self, range: &Range<usize>) -> Range<usize> {
        let start = self.offset.saturating_add(range.start);
        let len = range.len().min(self.limit.saturating_sub(range.start));
        start..start.saturating_add(len)
    }

    /// Returns the number of rows that the query returns of this many.
    pub(super) fn total(self, rows: usize) -> usize {
        rows.saturating_sub(self.offset).min(self.limit)
    }
}

fn size(rows: u64) -> usize {
    usize::try_from(rows).unwrap_or(usize::MAX)
}

impl<S: Source, O> Clone for WindowQuery<S, O> {
    fn clone(&self) -> Self {
        Self { select: self.select.clone(), wanted: Arc::clone(&self.wanted) }
    }
}

impl<S: Source, O> fmt::Debug for WindowQuery<S, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WindowQuery").field(&self.select).field(&self.wanted).finish()
    }
}

impl<T: Send + Sync + 'static> Clone for LiveWindow<T> {
    fn clone(&self) -> Self {
        Self {
            live: self.live.clone(),
            wanted: Arc::clone(&self.wanted),
            scroll: Arc::clone(&self.scroll),
        }
    }
}

impl<T: Send + Sync + 'static + fmt::Debug> fmt::Debug for LiveWindow<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LiveWindow").field(&Reactive::get(&self.live)).finish()
    }
}

impl<T> Clone for Window<T> {
    fn clone(&self) -> Self {
        Self { rows: self.rows.clone(), place: self.place }
    }
}

impl<T: PartialEq> PartialEq for Window<T> {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place && self.rows == other.rows
    }
}

impl<T: fmt::Debug> fmt::Debug for Window<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, total) = self.place;
        write!(f, "from {start} of {total}: {:?}", self.rows)
    }
}

/// As an object of `start`, `total` and `rows`.
impl<T: Serialize> Serialize for Window<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut window = serializer.serialize_struct("Window", 3)?;
        window.serialize_field("start", &self.start())?;
        window.serialize_field("total", &self.total())?;
        window.serialize_field("rows", &self.rows)?;
        window.end()
    }
}

#[cfg(test)]
mod tests;
