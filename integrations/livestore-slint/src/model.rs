//! Lists as Slint's models.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use livestore::live::{Diff, Diffs, List, LiveQuery, Reactive as _, Subscription};
use livestore::table::QueryError;
use slint::{Model, ModelNotify, ModelTracker};

use crate::event_loop::{Registration, Update};

/// A Slint model of a live list. `R` is a row of the list, and `T` what it is in `.slint` files.
///
/// Slint is notified of each row that is inserted, removed, moved or changed. A row becomes a `T` when Slint
/// asks for it: in a `ListView`, when it is visible.
///
/// The live query of [`Tier::Rerun`](livestore::live::Tier::Rerun) does not know which rows differ: each of
/// its changes resets the model.
///
/// ```
/// # use livestore::prelude::*;
/// # use livestore_testing::sample::items::{App, Item, ItemEvent};
/// use livestore_slint::LiveModel;
/// use slint::{Model, ModelRc, SharedString};
///
/// # fn main() -> livestore::Result<()> {
/// # let store = Store::<App>::builder("items").open()?;
/// let titles = store.live(Item::all().order_by(Item::PLACE.asc()))?;
/// let titles = LiveModel::new(titles, |item| SharedString::from(&item.title));
/// let model: ModelRc<SharedString> = titles.clone().into(); // for a component's property
/// store.commit(ItemEvent::Filled { last: 100_000 })?;
/// titles.update(); // an app's event loop does this
/// assert_eq!(model.row_data(99_999).unwrap(), "item 100000");
/// # Ok(())
/// # }
/// ```
pub struct LiveModel<R: Send + Sync + 'static, T: 'static> {
    // Dropped in this order: what notifies, then what is notified.
    _guard: Subscription,
    _registration: Registration,
    of: LiveQuery<List<R>>,
    diffs: RefCell<Diffs<R>>,
    /// The steps that are not applied yet. If a view panics, the next update goes on with them.
    steps: RefCell<VecDeque<Diff<R>>>,
    list: RefCell<List<R>>,
    /// The number of steps that have been applied.
    applied: Cell<u64>,
    make: Make<R, T>,
    edit: Option<Edit<R, T>>,
    notify: ModelNotify,
}

type Make<R, T> = Box<dyn Fn(&R) -> T>;
type Edit<R, T> = Box<dyn Fn(&R, T)>;

impl<R: Send + Sync + 'static, T: 'static> LiveModel<R, T> {
    /// Returns a model that cannot be edited from `.slint` files.
    pub fn new(of: LiveQuery<List<R>>, make: impl Fn(&R) -> T + 'static) -> Rc<Self> {
        Self::build(of, Box::new(make), None)
    }

    /// Returns a model that can be edited: when a `.slint` file assigns to a row, `edit` is called with the
    /// row as it is and the assigned value, to commit the change.
    ///
    /// Afterwards, the row shows what the store has, whether or not the commit was successful.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::items::{App, Item, ItemEvent, added};
    /// use livestore_slint::LiveModel;
    /// use slint::{Model, SharedString};
    ///
    /// # fn main() -> livestore::Result<()> {
    /// # let store = Store::<App>::builder("items").open()?;
    /// # store.commit(added(1))?;
    /// let titles = LiveModel::editable(
    ///     store.live(Item::all())?,
    ///     |item| SharedString::from(&item.title),
    ///     move |item, title| {
    ///         let renamed = ItemEvent::Renamed { id: item.id, title: title.into() };
    ///         if let Err(error) = store.commit(renamed) {
    ///             eprintln!("{error}");
    ///         }
    ///     },
    /// );
    /// titles.set_row_data(0, "Milk".into());
    /// assert_eq!(titles.row_data(0).unwrap(), "Milk");
    /// # Ok(())
    /// # }
    /// ```
    pub fn editable(
        of: LiveQuery<List<R>>,
        make: impl Fn(&R) -> T + 'static,
        edit: impl Fn(&R, T) + 'static,
    ) -> Rc<Self> {
        Self::build(of, Box::new(make), Some(Box::new(edit)))
    }

    fn build(of: LiveQuery<List<R>>, make: Make<R, T>, edit: Option<Edit<R, T>>) -> Rc<Self> {
        let model = Rc::new_cyclic(|this: &Weak<Self>| {
            let registration = Registration::new(this.clone());
            Self {
                diffs: RefCell::new(of.diffs()),
                _guard: of.subscribe(registration.callback()),
                _registration: registration,
                steps: RefCell::default(),
                list: RefCell::default(),
                applied: Cell::new(0),
                of,
                make,
                edit,
                notify: ModelNotify::default(),
            }
        });
        model.update();
        model
    }

    /// Returns the reason why the list is not up to date, while its query fails. To show it, use
    /// [`bind`](crate::bind()) with the query.
    pub fn error(&self) -> Option<Arc<QueryError>> {
        self.of.error()
    }

    /// Applies all changes now, instead of when the event loop has time.
    pub fn update(&self) {
        while let Some(step) = self.next_step() {
            self.applied.set(self.applied.get() + 1);
            self.apply(&step);
        }
    }

    fn next_step(&self) -> Option<Diff<R>> {
        let mut steps = self.steps.borrow_mut();
        while steps.is_empty() {
            // A change of the error has no steps.
            steps.extend(self.diffs.borrow_mut().try_next()?);
        }
        match steps.pop_front()? {
            // Slint has no moves. The insertion is the next step, so that it is not lost by a panic.
            Diff::Move { from, to } => {
                let row = self.list.borrow().get(from).cloned()?;
                steps.push_front(Diff::Insert { index: to, row });
                Some(Diff::Remove { index: from })
            }
            step => Some(step),
        }
    }

    fn apply(&self, step: &Diff<R>) {
        step.patch(&mut self.list.borrow_mut());
        // Nothing is borrowed here: Slint may read the model.
        match step {
            Diff::Insert { index, .. } => self.notify.row_added(*index, 1),
            Diff::Remove { index } => self.notify.row_removed(*index, 1),
            Diff::Update { index, .. } => self.notify.row_changed(*index),
            Diff::Reset { .. } | Diff::Move { .. } => self.notify.reset(),
        }
    }
}

impl<R: Send + Sync + 'static, T: 'static> Update for LiveModel<R, T> {
    fn update(&self) {
        self.update();
    }
}

impl<R: Send + Sync + 'static, T: 'static> Model for LiveModel<R, T> {
    type Data = T;

    fn row_count(&self) -> usize {
        self.list.borrow().len()
    }

    fn row_data(&self, row: usize) -> Option<T> {
        let row = self.list.borrow().get(row).cloned();
        row.map(|row| (self.make)(&row))
    }

    fn set_row_data(&self, index: usize, data: T) {
        let row = self.list.borrow().get(index).cloned();
        let (Some(edit), Some(row)) = (&self.edit, row) else { return };
        let before = self.applied.get();
        edit(&row, data);
        self.update();
        if self.applied.get() == before {
            // The assigned value is not what the store has, and the view shows it.
            self.notify.row_changed(index);
        }
    }

    fn model_tracker(&self) -> &dyn ModelTracker {
        &self.notify
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl<R: fmt::Debug + Send + Sync + 'static, T: 'static> fmt::Debug for LiveModel<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LiveModel").field(&self.list.borrow()).finish()
    }
}
