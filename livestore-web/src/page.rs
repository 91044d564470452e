//! The page that a store is open in, and when its connection is worth a look.

use std::cell::RefCell;
use std::rc::Rc;

use livestore::Store;
use livestore::schema::Schema;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::EventTarget;

/// Has the store connect, or check its connection, when the browser is online again, and when the page
/// goes out of sight or comes back: timers are slow in the background, and connections break while a
/// machine sleeps. In a worker, which has no page, nothing happens.
pub(crate) fn reconnect_with<S: Schema>(store: &Store<S>) {
    let Some(window) = web_sys::window() else { return };
    let weak = store.downgrade();
    let check = move || {
        let store = weak.upgrade();
        store.as_ref().map(Store::reconnect_now).is_some()
    };
    listen(&window, "online", check.clone());
    if let Some(document) = window.document() {
        listen(&document, "visibilitychange", check);
    }
}

/// Calls `handle` at each event, until it returns false.
fn listen(target: &EventTarget, event: &'static str, mut handle: impl FnMut() -> bool + 'static) {
    let listener: Rc<RefCell<Option<Closure<dyn FnMut()>>>> = Rc::default();
    let (own, at) = (Rc::clone(&listener), target.clone());
    let closure = Closure::new(move || {
        if !handle()
            && let Some(closure) = own.borrow().as_ref()
        {
            let _ = at.remove_event_listener_with_callback(event, closure.as_ref().unchecked_ref());
        }
    });
    // A target that takes no listeners only connects again as late as it does elsewhere.
    let _ = target.add_event_listener_with_callback(event, closure.as_ref().unchecked_ref());
    listener.replace(Some(closure));
}
