//! Client documents, read and edited.

use std::fmt;
use std::sync::Arc;

use egui::Ui;
use livestore::Store;
use livestore::live::LiveQuery;
use livestore::schema::{Commit, Document, HasDocument, Schema};
use livestore::store::CommitError;
use livestore::table::QueryError;

use crate::live::Live;

/// A client document that a screen shows and edits.
///
/// ```
/// # use livestore::prelude::*;
/// # use livestore_testing::sample::items::{App, Screen};
/// use livestore_egui::LiveDocument;
///
/// # fn view(ui: &mut egui::Ui, store: &Store<App>) -> livestore::Result<()> {
/// let screen = LiveDocument::<App, Screen>::new(store)?;       // once, when the screen is made
/// screen.edit(ui, |ui, screen| {
///     ui.text_edit_singleline(&mut screen.draft);
///     ui.checkbox(&mut screen.only_open, "only what is open");
/// })?;
/// # Ok(())
/// # }
/// ```
///
/// A document with an id of its own is shown by [`Live`], and edited by committing its
/// [`changes`](Document::changes).
pub struct LiveDocument<S: Schema, D: Document + Send + Sync> {
    store: Store<S>,
    live: Live<LiveQuery<D>>,
}

impl<S, D> LiveDocument<S, D>
where
    S: Schema + HasDocument<D>,
    D: Document + Clone + PartialEq + Send + Sync,
    D::Set: Commit<S>,
{
    /// The document of this window, or the one with the fixed id.
    ///
    /// # Errors
    /// When it cannot be read, or the store is closed.
    pub fn new(store: &Store<S>) -> Result<Self, QueryError> {
        Ok(Self { store: store.clone(), live: Live::new(store.live(D::get())?) })
    }

    /// Returns the document as it is now. The viewport of `ui` is repainted once it changes.
    pub fn get(&self, ui: &Ui) -> Arc<D> {
        self.live.get(ui)
    }

    /// Returns the reason why the document is not up to date, while it cannot be read.
    pub fn error(&self, ui: &Ui) -> Option<Arc<QueryError>> {
        self.live.error(ui)
    }

    /// Shows the document for editing. What `add` changes is committed: the fields that differ, and no
    /// others.
    ///
    /// # Errors
    /// When the commit fails. The document is as it was, and so is shown in the next pass.
    pub fn edit<T>(
        &self,
        ui: &mut Ui,
        add: impl FnOnce(&mut Ui, &mut D) -> T,
    ) -> Result<T, CommitError> {
        self.live.show(ui, |ui, before| {
            let mut edited = before.clone();
            let shown = add(ui, &mut edited);
            let set = if edited == *before { None } else { before.changes(&edited) };
            set.map_or(Ok(()), |set| self.store.commit(set).map(drop))?;
            Ok(shown)
        })
    }
}

impl<S: Schema, D: Document + Send + Sync + fmt::Debug> fmt::Debug for LiveDocument<S, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LiveDocument").field(&self.live).finish()
    }
}
