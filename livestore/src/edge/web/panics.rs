//! Panics. On this target Rust cannot catch one: it ends in an exception, which JavaScript can.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use js_sys::Function;
use wasm_bindgen::closure::ScopedClosure;
use wasm_bindgen::{JsCast, JsValue};

/// Calls `work`. If it panics, returns what is known of it: the message itself goes to the panic
/// hook only.
///
/// What `work` has on its stack is not dropped then. Nothing of the store's may be half done in it.
pub(crate) fn catch_panic<R>(work: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
    let (mut work, mut result) = (Some(work), None);
    let mut call = || {
        // Where the compiler has panics unwind, they are caught before they get to JavaScript.
        result = work.take().map(|work| catch_unwind(AssertUnwindSafe(work)));
    };
    let closure = ScopedClosure::<dyn FnMut()>::borrow_mut_aborting(&mut call);
    let called = closure.as_ref().unchecked_ref::<Function>().call0(&JsValue::UNDEFINED);
    drop(closure);
    match (called, result) {
        (Ok(_), Some(result)) => result,
        _ => Err(Box::new("its message is in the console, if there is a panic hook")),
    }
}
