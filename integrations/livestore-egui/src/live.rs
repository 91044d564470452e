//! Values of any kind.

use std::fmt;
use std::sync::Arc;

use egui::Ui;
use livestore::ErrorChain;
use livestore::live::{Reactive, Subscription};
use livestore::table::QueryError;

use crate::viewers::Viewers;

/// A live query, a computed or a signal that a screen shows. Its viewport is repainted when it changes.
///
/// When it is dropped, the query is no longer kept up to date, unless someone else reads it.
///
/// ```
/// # use livestore::prelude::*;
/// # use livestore_testing::sample::items::{App, Item};
/// use livestore_egui::Live;
///
/// # fn view(ui: &mut egui::Ui, store: &Store<App>) -> livestore::Result<()> {
/// let count = Live::new(store.live(Item::all().count())?);     // once, when the screen is made
/// count.show(ui, |ui, count| ui.label(format!("{} items", **count)));
/// # Ok(())
/// # }
/// ```
pub struct Live<R: Reactive> {
    of: R,
    viewers: Arc<Viewers>,
    _guard: Subscription,
}

impl<R: Reactive> Live<R> {
    /// A value to show.
    ///
    /// # Panics
    /// When it is a computed whose function panics or reads itself.
    pub fn new(of: R) -> Self {
        let viewers = Viewers::new();
        let notified = Arc::clone(&viewers);
        let guard = of.subscribe(move |_| notified.repaint());
        Self { of, viewers, _guard: guard }
    }

    /// Returns the value as it is now. The viewport of `ui` is repainted once it changes.
    ///
    /// # Panics
    /// As [`new`](Self::new) does.
    pub fn get(&self, ui: &Ui) -> Arc<R::Value> {
        self.viewers.read(ui.ctx());
        self.of.get()
    }

    /// Returns the reason why the value is not up to date, while its query fails.
    pub fn error(&self, ui: &Ui) -> Option<Arc<QueryError>> {
        self.viewers.read(ui.ctx());
        self.of.error()
    }

    /// Shows the value, below the query's error if it fails.
    ///
    /// # Panics
    /// As [`new`](Self::new) does.
    pub fn show<T>(&self, ui: &mut Ui, add: impl FnOnce(&mut Ui, &R::Value) -> T) -> T {
        show_error(ui, self.error(ui));
        let value = self.get(ui);
        add(ui, &value)
    }
}

/// Writes an error as egui writes errors, with all of its causes.
pub(crate) fn show_error(ui: &mut Ui, error: Option<Arc<QueryError>>) {
    if let Some(error) = error {
        ui.colored_label(ui.visuals().error_fg_color, ErrorChain::new(&*error).to_string());
    }
}

impl<R: Reactive + fmt::Debug> fmt::Debug for Live<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Live").field(&self.of).finish()
    }
}
