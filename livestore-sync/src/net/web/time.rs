//! Time, from JavaScript.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use js_sys::{Function, Promise, Reflect, global};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// A moment, by a clock that nobody sets.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(crate) struct Instant {
    /// Since the page or worker began.
    millis: f64,
}

impl Instant {
    pub(crate) fn now() -> Self {
        let performance = Reflect::get(&global(), &"performance".into());
        let now = performance.and_then(|performance| {
            Reflect::get(&performance, &"now".into())?.dyn_into::<Function>()?.call0(&performance)
        });
        // There is `performance` wherever there are WebSockets.
        Self { millis: now.ok().and_then(|now| now.as_f64()).unwrap_or_default() }
    }

    pub(crate) fn elapsed(self) -> Duration {
        let millis = Self::now().millis - self.millis;
        Duration::try_from_secs_f64(millis / 1_000.0).unwrap_or_default()
    }
}

/// Returns after this time.
async fn sleep(time: Duration) {
    // The longest that `setTimeout` counts is about 25 days.
    let millis = (time.as_secs_f64() * 1_000.0).ceil().min(f64::from(i32::MAX));
    let mut set_timer = |resolve: Function, _| {
        let set = Reflect::get(&global(), &"setTimeout".into()).and_then(|set| set.dyn_into());
        let _ =
            set.and_then(|set: Function| set.call2(&JsValue::UNDEFINED, &resolve, &millis.into()));
    };
    let _ = JsFuture::from(Promise::new(&mut set_timer)).await;
}

/// Returns what `work` does within this time, if it does.
pub(crate) async fn timeout<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    match select(pin!(work), pin!(sleep(limit))).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}
