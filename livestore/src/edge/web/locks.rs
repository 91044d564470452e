//! Web Locks: a name that one page or worker at a time has, for as long as it lives.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use js_sys::{Function, Object, Promise, Reflect, global};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

// web-sys has these behind a flag that every app would have to set.
#[wasm_bindgen]
extern "C" {
    type LockManager;

    #[wasm_bindgen(method, catch)]
    fn request(
        this: &LockManager,
        name: &str,
        options: &JsValue,
        callback: &Function,
    ) -> Result<Promise, JsValue>;
}

/// A lock that this page or worker has. Dropping it gives it back.
#[derive(Debug)]
pub struct WebLock {
    release: Function,
}

impl Drop for WebLock {
    fn drop(&mut self) {
        let _ = self.release.call0(&JsValue::UNDEFINED);
    }
}

/// Whether to wait until nobody else has a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfHeld {
    /// Wait in line.
    Wait,
    /// Do without.
    GiveUp,
}

/// Asks for the lock of this name. `granted` is called once: with the lock, or with none if it is
/// held, or if the browser refuses.
///
/// # Errors
/// When there are no such locks here, as in a page that did not come over HTTPS or from this machine.
pub fn request_lock(
    name: &str,
    if_held: IfHeld,
    granted: impl FnOnce(Option<WebLock>) + 'static,
) -> io::Result<()> {
    let manager = manager().ok_or_else(|| {
        io::Error::new(io::ErrorKind::Unsupported, "there is no `navigator.locks` here")
    })?;
    let options = Object::new();
    let _ = Reflect::set(&options, &"ifAvailable".into(), &(if_held == IfHeld::GiveUp).into());
    let granted = Rc::new(RefCell::new(Some(granted)));
    let refused = Rc::clone(&granted);
    let callback = Closure::once_into_js(move |lock: JsValue| {
        let lock = (!lock.is_null()).then(held);
        let (lock, until) = lock.unzip();
        if let Some(granted) = granted.borrow_mut().take() {
            granted(lock);
        }
        until.map_or(JsValue::UNDEFINED, JsValue::from)
    });
    let refused = Closure::once_into_js(move |error: JsValue| {
        tracing::warn!(?error, "the browser refuses a lock");
        let granted = refused.borrow_mut().take();
        if let Some(granted) = granted {
            granted(None);
        }
    });
    let requested = manager.request(name, &options, callback.unchecked_ref());
    let requested = requested.map_err(|error| io::Error::other(format!("{error:?}")))?;
    let handled = Reflect::get(&requested, &"catch".into()).ok();
    if let Some(handle) = handled.and_then(|handle| handle.dyn_into::<Function>().ok()) {
        let _ = handle.call1(&requested, &refused);
    }
    Ok(())
}

/// A lock, and the promise until whose end it is held.
fn held() -> (WebLock, Promise) {
    let mut release = None;
    let until = Promise::new(&mut |resolve, _| release = Some(resolve));
    // `Promise::new` calls its function before it returns.
    (WebLock { release: release.unwrap_or_else(|| Function::new_no_args("")) }, until)
}

fn manager() -> Option<LockManager> {
    let navigator = Reflect::get(&global(), &"navigator".into()).ok()?;
    let locks = Reflect::get(&navigator, &"locks".into()).ok()?;
    (!locks.is_undefined()).then(|| locks.unchecked_into())
}
