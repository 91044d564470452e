//! What becomes of a page's worker when the browser freezes the tab.
//!
//! A tab that is long out of sight may be frozen, and its worker with it. A worker that leads would then keep
//! the files from all other tabs, and nobody can take them from it. So it ends before: that is for others as
//! if the tab was closed. When the tab thaws, it gets another one.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::Document;

use crate::worker::Spawned;

/// A page's worker, which is not there while the page is frozen.
pub(crate) struct PageWorker {
    _worker: Rc<RefCell<Option<Spawned>>>,
    document: Option<Document>,
    on_freeze: Closure<dyn FnMut()>,
    on_resume: Closure<dyn FnMut()>,
}

impl PageWorker {
    /// The worker that runs, and how to start another one.
    pub(crate) fn new(worker: Spawned, start: impl Fn() -> Option<Spawned> + 'static) -> Self {
        let worker = Rc::new(RefCell::new(Some(worker)));
        let (frozen, thawed) = (Rc::clone(&worker), Rc::clone(&worker));
        let on_freeze = Closure::new(move || drop(frozen.take()));
        let on_resume = Closure::new(move || {
            if thawed.borrow().is_none() {
                thawed.replace(start());
            }
        });
        let document = web_sys::window().and_then(|window| window.document());
        let new = Self { _worker: worker, document, on_freeze, on_resume };
        for (event, listener) in new.listeners() {
            if let Some(document) = &new.document {
                let _ = document.add_event_listener_with_callback(event, listener);
            }
        }
        new
    }

    fn listeners(&self) -> [(&str, &js_sys::Function); 2] {
        [
            ("freeze", self.on_freeze.as_ref().unchecked_ref()),
            ("resume", self.on_resume.as_ref().unchecked_ref()),
        ]
    }
}

impl Drop for PageWorker {
    fn drop(&mut self) {
        for (event, listener) in self.listeners() {
            if let Some(document) = &self.document {
                let _ = document.remove_event_listener_with_callback(event, listener);
            }
        }
    }
}
