//! Time, from JavaScript.

use std::time::Duration;

use js_sys::{Function, Reflect, global};
use wasm_bindgen::{JsCast, JsValue};

/// Returns the milliseconds since 1970 began, by this machine's clock; negative before that.
pub(crate) fn unix_millis() -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a `Date` is whole, and has 54 bits")]
    let millis = js_sys::Date::now() as i64;
    millis
}

/// Returns the time since the page or worker began, by a clock that nobody sets; by the machine's
/// clock where there is no `performance`.
pub(super) fn elapsed() -> Duration {
    let millis = PERFORMANCE.with(|performance| performance.as_ref().and_then(now));
    let millis = millis.unwrap_or_else(js_sys::Date::now);
    Duration::try_from_secs_f64(millis / 1_000.0).unwrap_or_default()
}

thread_local! {
    /// `performance`, and its function `now`.
    static PERFORMANCE: Option<(JsValue, Function)> = find_performance();
}

fn find_performance() -> Option<(JsValue, Function)> {
    let performance = Reflect::get(&global(), &"performance".into()).ok()?;
    let now = Reflect::get(&performance, &"now".into()).ok()?.dyn_into().ok()?;
    Some((performance, now))
}

fn now((performance, now): &(JsValue, Function)) -> Option<f64> {
    now.call0(performance).ok()?.as_f64()
}

/// Does not wait: nothing would happen meanwhile.
pub(crate) fn pause(_: Duration) -> bool {
    false
}

/// Measures how long things take that are done one after the other.
#[derive(Debug)]
pub(crate) struct Stopwatch(Duration);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(elapsed())
    }

    /// The time since the start, or the last lap.
    pub(crate) fn lap(&mut self) -> Duration {
        let now = elapsed();
        now.saturating_sub(std::mem::replace(&mut self.0, now))
    }
}
