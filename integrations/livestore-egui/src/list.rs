//! Lists of any length.

use std::fmt;
use std::sync::Arc;

use egui::scroll_area::ScrollAreaOutput;
use egui::{ScrollArea, Ui};
use livestore::live::{List, LiveQuery, Reactive, SharedRow, Subscription};
use livestore::table::QueryError;

use crate::live::show_error;
use crate::viewers::Viewers;

/// A live list that a screen shows. Only rows in sight are drawn, and a change of any other row
/// repaints nothing.
///
/// A query that is [run again](livestore::live::Tier::Rerun) for each change does not know which rows
/// differ: each of its changes repaints.
///
/// ```
/// # use livestore::prelude::*;
/// # use livestore_testing::sample::items::{App, Item};
/// use livestore_egui::LiveList;
///
/// # fn view(ui: &mut egui::Ui, store: &Store<App>) -> livestore::Result<()> {
/// let items = LiveList::new(store.live(Item::all().order_by(Item::PLACE.asc()))?);   // once
/// let height = ui.text_style_height(&egui::TextStyle::Body);
/// items.show(ui, height, |ui, _, item| {
///     ui.label(&item.title);
/// });
/// # Ok(())
/// # }
/// ```
pub struct LiveList<T: Send + Sync + 'static> {
    of: LiveQuery<List<T>>,
    viewers: Arc<Viewers>,
    _guard: Subscription,
}

impl<T: Send + Sync + 'static> LiveList<T> {
    /// A list to show.
    pub fn new(of: LiveQuery<List<T>>) -> Self {
        let viewers = Viewers::new();
        let (notified, mut diffs) = (Arc::clone(&viewers), of.diffs());
        // The first item is the list as it is now, which nobody has shown yet.
        diffs.try_next();
        let guard = of.subscribe(move |_| {
            while let Some(steps) = diffs.try_next() {
                notified.repaint_steps(&steps);
            }
        });
        Self { of, viewers, _guard: guard }
    }

    /// Returns the list as it is now. The viewport of `ui` is repainted once any row changes.
    pub fn get(&self, ui: &Ui) -> Arc<List<T>> {
        self.viewers.read(ui.ctx());
        self.of.get()
    }

    /// Returns the reason why the list is not up to date, while its query fails.
    pub fn error(&self, ui: &Ui) -> Option<Arc<QueryError>> {
        self.viewers.read(ui.ctx());
        self.of.error()
    }

    /// Shows the list in a vertical [`ScrollArea`] that takes the space there is, below the query's error
    /// if it fails. `add_row` draws one row, and is called for those in sight.
    ///
    /// All rows have the same height, in points, without the space between them. Widgets with a state of
    /// their own, such as text fields, need an id of the row's, so that the state moves with the row:
    /// `ui.push_id(item.id, |ui| …)`.
    pub fn show(
        &self,
        ui: &mut Ui,
        row_height: f32,
        add_row: impl FnMut(&mut Ui, usize, &SharedRow<T>),
    ) -> ScrollAreaOutput<()> {
        self.show_in(ScrollArea::vertical().auto_shrink(false), ui, row_height, add_row)
    }

    /// Shows the list as [`show`](Self::show) does, in a [`ScrollArea`] of the app's.
    pub fn show_in(
        &self,
        area: ScrollArea,
        ui: &mut Ui,
        row_height: f32,
        mut add_row: impl FnMut(&mut Ui, usize, &SharedRow<T>),
    ) -> ScrollAreaOutput<()> {
        show_error(ui, self.error(ui));
        let list = self.get(ui);
        area.show_rows(ui, row_height, list.len(), |ui, range| {
            self.viewers.show_rows(ui.ctx(), range.clone());
            for (index, row) in range.filter_map(|index| Some((index, list.get(index)?))) {
                add_row(ui, index, row);
            }
        })
    }
}

impl<T: fmt::Debug + Send + Sync + 'static> fmt::Debug for LiveList<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LiveList").field(&self.of).finish()
    }
}
