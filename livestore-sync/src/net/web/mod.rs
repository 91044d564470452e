//! Tasks and time of a browser's page or worker.

mod fetch;
mod image;
mod time;

use std::io;

use wasm_bindgen::JsCast as _;

pub(crate) use fetch::{Post, Posted};
pub(crate) use image::ImageAnswer;
pub(crate) use time::{Instant, timeout};

/// The event loop, where everything runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place;

/// What a task has to be to run anywhere: anything, with one thread.
pub(crate) trait MaySend {}
impl<T> MaySend for T {}

/// Runs a task on the event loop.
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there may be no thread left")]
pub(crate) fn spawn(_: &Place, task: impl Future<Output = ()> + 'static) -> io::Result<()> {
    wasm_bindgen_futures::spawn_local(task);
    Ok(())
}

impl Place {
    /// Returns why nothing can wait for the connection.
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "elsewhere it depends")]
    pub(crate) fn blocked_by_waiting(&self) -> Option<String> {
        Some("it is the only thread, which the connection runs on, too".to_owned())
    }
}

/// Whether a host of this name can exist.
pub(crate) fn is_host(name: &str) -> bool {
    let host = if name.contains(':') { format!("[{name}]") } else { name.to_owned() };
    web_sys::Url::new(&format!("http://{host}/")).is_ok()
}

/// Returns an exception's text.
pub(crate) fn describe(exception: &wasm_bindgen::JsValue) -> String {
    match exception.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.message()),
        None => format!("{exception:?}"),
    }
}
