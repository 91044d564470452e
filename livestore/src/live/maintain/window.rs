//! Windows: the rows of a long list that a screen shows, and how many there are in all.

use std::ops::Range;

use super::list::TableList;
use super::rerun::{Rerun, Run};
use super::{Maintain, MaintainList as _, MustRerun, Refresh, TableChange};
use crate::edge::primitives::lock;
use crate::live::cell::PublishedValue;
use crate::live::dependency::Dependency;
use crate::live::window::{Bounds, SharedRange, Window};
use crate::table::{QueryError, Reader};

/// A window of a list that is updated row by row.
pub(in crate::live) struct ListWindow<O> {
    list: TableList<O>,
    bounds: Bounds,
    /// The rows that the screen wants.
    wanted: SharedRange,
    /// Those that the list shows.
    shown: Range<usize>,
    /// The number of rows that meet the conditions.
    rows: usize,
}

impl<O> ListWindow<O> {
    pub(in crate::live) fn new(list: TableList<O>, bounds: Bounds, wanted: SharedRange) -> Self {
        Self { list, bounds, wanted, shown: 0..0, rows: 0 }
    }
}

impl<O: Send + Sync + 'static> Maintain<Window<O>> for ListWindow<O> {
    fn start(&mut self, reader: &Reader<'_>) -> Result<Window<O>, QueryError> {
        self.shown = lock(&self.wanted).clone();
        self.list.set_range(&self.bounds.within(&self.shown));
        let rows = self.list.start(reader)?;
        self.rows = self.list.count(reader)?;
        Ok(Window { rows, place: (self.shown.start, self.bounds.total(self.rows)) })
    }

    fn apply(
        &mut self,
        published: &PublishedValue<Window<O>>,
        changes: &[TableChange<'_>],
        reader: &Reader<'_>,
    ) -> Result<Refresh<Window<O>>, MustRerun> {
        let wanted = lock(&self.wanted).clone();
        if self.shown != wanted {
            self.shown = wanted;
            self.list.scroll(&self.bounds.within(&self.shown))?;
        }
        self.list.apply(changes, reader)?;
        self.rows = self.rows.checked_add_signed(self.list.growth()).ok_or(MustRerun)?;
        let total = self.bounds.total(self.rows);
        Ok(published.patch_window(self.list.steps(), self.shown.start, total))
    }

    fn rerun(
        &mut self,
        old: &Window<O>,
        reader: &Reader<'_>,
    ) -> Result<Refresh<Window<O>>, QueryError> {
        Ok(Refresh::of(old, self.start(reader)?, Window::matches))
    }
}

/// A window of a query that is run again.
pub(in crate::live) struct RerunWindow<O> {
    rerun: Rerun<Window<O>>,
    wanted: SharedRange,
    /// The rows that the last run has read.
    shown: Range<usize>,
}

impl<O> RerunWindow<O> {
    pub(in crate::live) fn new(
        run: Run<Window<O>>,
        dependencies: Vec<Dependency>,
        wanted: SharedRange,
    ) -> Self {
        Self { rerun: Rerun::new(run, dependencies), wanted, shown: 0..0 }
    }
}

impl<O: Send + Sync + 'static> Maintain<Window<O>> for RerunWindow<O> {
    fn start(&mut self, reader: &Reader<'_>) -> Result<Window<O>, QueryError> {
        self.shown = lock(&self.wanted).clone();
        self.rerun.start(reader)
    }

    fn apply(
        &mut self,
        published: &PublishedValue<Window<O>>,
        changes: &[TableChange<'_>],
        reader: &Reader<'_>,
    ) -> Result<Refresh<Window<O>>, MustRerun> {
        match self.shown == *lock(&self.wanted) {
            true => self.rerun.apply(published, changes, reader),
            false => Err(MustRerun),
        }
    }

    fn rerun(
        &mut self,
        old: &Window<O>,
        reader: &Reader<'_>,
    ) -> Result<Refresh<Window<O>>, QueryError> {
        let wanted = lock(&self.wanted).clone();
        // What is read at another place may be the same, but is shown elsewhere.
        let refresh = match wanted.start == self.shown.start {
            true => self.rerun.rerun(old, reader)?,
            false => Refresh::Replace(self.rerun.start(reader)?),
        };
        self.shown = wanted;
        Ok(refresh)
    }
}
