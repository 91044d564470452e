//! Queries with parameters.

use std::fmt;

/// What a screen shows of a query with parameters: made anew when the parameters differ from the last
/// pass's.
///
/// ```
/// # use livestore::prelude::*;
/// # use livestore_testing::sample::items::{App, Item};
/// use livestore_egui::{LiveBy, LiveList};
///
/// struct Items {
///     store: Store<App>,
///     done: bool,
///     items: LiveBy<bool, LiveList<Item>>,
/// }
///
/// impl Items {
///     fn ui(&mut self, ui: &mut egui::Ui) -> livestore::Result<()> {
///         ui.checkbox(&mut self.done, "done");
///         let items = self.items.get(self.done, |&done| {
///             self.store.live(Item::filter(Item::DONE.eq(done))).map(LiveList::new)
///         })?;
///         items.show(ui, 20.0, |ui, _, item| {
///             ui.label(&item.title);
///         });
///         Ok(())
///     }
/// }
/// ```
pub struct LiveBy<K, L>(Option<(K, L)>);

impl<K: PartialEq, L> LiveBy<K, L> {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self(None)
    }

    /// Returns what is shown for these parameters. `make` is called if they differ from those before.
    ///
    /// # Errors
    /// When `make` fails. It is called again in the next pass.
    pub fn get<E>(&mut self, by: K, make: impl FnOnce(&K) -> Result<L, E>) -> Result<&L, E> {
        let last = self.0.take().filter(|(last, _)| *last == by);
        let current = match last {
            Some(last) => last,
            None => {
                let live = make(&by)?;
                (by, live)
            }
        };
        Ok(&self.0.insert(current).1)
    }
}

impl<K: PartialEq, L> Default for LiveBy<K, L> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: fmt::Debug, L: fmt::Debug> fmt::Debug for LiveBy<K, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LiveBy").field(&self.0).finish()
    }
}
