//! The JavaScript file that this module was loaded by.

use std::cell::RefCell;

use wasm_bindgen::JsValue;

use crate::js;

thread_local! {
    static URL: RefCell<Option<String>> = const { RefCell::new(None) };
}

pub(crate) fn set_url(url: String) {
    URL.with(|known| known.replace(Some(url)));
}

/// The URL of the JavaScript file, if it is known.
pub(crate) fn url() -> Option<String> {
    URL.with(|known| known.borrow().clone()).or_else(found)
}

/// What JavaScript says of the place where an error was made: by the file that calls into this module.
fn found() -> Option<String> {
    let error: JsValue = js_sys::Error::new("").into();
    let stack = js::member(&error, "stack")?.as_string()?;
    stack.lines().find_map(url_in)
}

/// The URL in a line of a stack, such as `at f (https://example.org/app.js:12:34)`.
fn url_in(line: &str) -> Option<String> {
    let (before, after) = line.split_once("://")?;
    let is_of_scheme = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let start = before.rfind(|c| !is_of_scheme(c)).map_or(0, |at| at + 1);
    let scheme = before.get(start..)?;
    let rest = after.split([')', ' ']).next()?;
    let place = without_number(without_number(rest)?)?;
    (scheme != "wasm" && !place.contains("wasm-function")).then(|| format!("{scheme}://{place}"))
}

/// Without the number behind the last colon.
fn without_number(text: &str) -> Option<&str> {
    let (before, number) = text.rsplit_once(':')?;
    number.bytes().all(|digit| digit.is_ascii_digit()).then_some(before)
}
