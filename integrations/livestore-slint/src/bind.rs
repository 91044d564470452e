//! Properties that are bound to live values.

use std::cell::Cell;
use std::fmt;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use livestore::live::{Reactive, Subscription};
use livestore::table::QueryError;
use slint::ComponentHandle;

use crate::event_loop::{Registration, Update};

/// Calls `set` with the current value, and then after each change, on the thread of the event loop, until the
/// [`Binding`] or the component is dropped. While the query fails, `set` is called with the error.
///
/// ```
/// # use livestore::prelude::*;
/// # use livestore_testing::sample::items::{App, Screen};
/// # slint::slint! {
/// #     export component Window1 inherits Window {
/// #         in-out property <string> draft;
/// #         callback edited(string);
/// #     }
/// # }
/// # use slint::ComponentHandle;
/// # i_slint_backend_testing::init_no_event_loop();
/// # let (store, ui) = (Store::<App>::builder("items").open()?, Window1::new()?);
/// // A client document, both ways.
/// let binding = livestore_slint::bind(&store.live(Screen::get())?, &ui, |ui, screen| {
///     if let Ok(screen) = screen {
///         ui.set_draft((&screen.draft).into());
///     }
/// });
/// ui.on_edited(move |draft| {
///     if let Err(error) = store.commit(Screen::set().draft(draft)) {
///         eprintln!("{error}");
///     }
/// });
/// ui.invoke_edited("Milk".into());
/// # binding.update();
/// # assert_eq!(ui.get_draft(), "Milk");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
/// When the value is a computed whose function panics or reads itself.
pub fn bind<R: Reactive, C: ComponentHandle + 'static>(
    of: &R,
    component: &C,
    set: impl Fn(C, Result<&R::Value, &Arc<QueryError>>) + 'static,
) -> Binding {
    let component = component.as_weak();
    let bound = Rc::new_cyclic(|this: &Weak<Bound<R>>| {
        let registration = Registration::new(this.clone());
        Bound {
            _guard: of.subscribe(registration.callback()),
            of: of.clone(),
            seen: Cell::new(None),
            set: Box::new(move |value| {
                if let Some(component) = component.upgrade() {
                    set(component, value);
                }
            }),
            _registration: registration,
        }
    });
    bound.update();
    Binding(bound)
}

/// Updates properties with a live value until it is dropped. Returned by [`bind`].
#[must_use = "dropping the binding ends it"]
pub struct Binding(Rc<dyn Update>);

impl Binding {
    /// Sets the properties now, if the value has changed, instead of when the event loop has time.
    pub fn update(&self) {
        self.0.update();
    }
}

type Set<V> = Box<dyn Fn(Result<&V, &Arc<QueryError>>)>;

struct Bound<R: Reactive> {
    // Dropped in this order.
    _guard: Subscription,
    _registration: Registration,
    of: R,
    /// The version that the properties were last set to.
    seen: Cell<Option<u64>>,
    set: Set<R::Value>,
}

impl<R: Reactive> Update for Bound<R> {
    fn update(&self) {
        // The version first: a value that changes in between is set twice, and never missed.
        let version = self.of.version();
        if self.seen.replace(Some(version)) == Some(version) {
            return;
        }
        match self.of.error() {
            Some(error) => (self.set)(Err(&error)),
            None => (self.set)(Ok(&self.of.get())),
        }
    }
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Binding").finish_non_exhaustive()
    }
}
