//! Some rows of a long list of issues, as a component shows them.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use dioxus::core::{ReactiveContext, spawn, use_hook};
use dioxus::prelude::*;
use futures_util::future::{self, Either, select};
use futures_util::{Stream, StreamExt as _, stream};
use livestore::live::{LiveWindow, Reactive as _, SharedRow, Window};
use livestore::table::{QueryError, Select};
use livestore_dioxus::LiveResult;
use tracker_schema::{App, Issue};

/// An issue as a component's property: a component whose issue has the same values is not drawn again.
pub(crate) type Shared = SharedRow<Issue>;

/// A window over a list of issues, which [`use_window`] returns.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Shown {
    live: CopyValue<Option<LiveWindow<Issue>>>,
    value: Signal<LiveResult<Window<Issue>>>,
    range: CopyValue<(usize, usize)>,
}

/// Shows a window over the issues that `query` asks for, which is called again when a signal that it reads changes.
/// The window shows the rows of `first` until it is [scrolled](Shown::scroll).
pub(crate) fn use_window(
    store: ReadSignal<livestore::Store<App>>,
    first: Range<usize>,
    mut query: impl FnMut() -> Select<Issue> + 'static,
) -> Shown {
    let query = use_callback(move |()| query());
    use_hook(|| {
        let (context, mut changes) = ReactiveContext::new();
        let range = CopyValue::new((first.start, first.end));
        let start = move || {
            let query = context.reset_and_run_in(|| query.call(()));
            let (from, to) = *range.peek();
            store.peek().live_window(query, from..to).map_err(Arc::new)
        };
        let first = start();
        let mut news = notifications(&first);
        let mut shown =
            Shown { value: Signal::new(value(&first)), live: CopyValue::new(first.ok()), range };
        spawn(async move {
            loop {
                match select(changes.next(), news.next()).await {
                    Either::Left((Some(()), _)) => {
                        let next = start();
                        news = notifications(&next);
                        shown.value.set(value(&next));
                        shown.live.set(next.ok());
                    }
                    Either::Right((Some(value), _)) => shown.value.set(value),
                    _ => return,
                }
            }
        });
        shown
    })
}

type Started = Result<LiveWindow<Issue>, Arc<QueryError>>;

fn value(live: &Started) -> LiveResult<Window<Issue>> {
    live.as_ref().map_err(Arc::clone)?.try_get()
}

/// What the window shows after each change from now on.
fn notifications(live: &Started) -> Pin<Box<dyn Stream<Item = LiveResult<Window<Issue>>>>> {
    let Ok(live) = live.clone() else { return Box::pin(stream::pending()) };
    let mut seen = live.version();
    Box::pin(live.stream().filter_map(move |_| {
        let version = live.version();
        let is_new = std::mem::replace(&mut seen, version) != version;
        future::ready(is_new.then(|| live.try_get()))
    }))
}

impl Shown {
    /// Returns the rows, and the number of issues. The component is drawn again when they change.
    pub(crate) fn get(&self) -> LiveResult<Window<Issue>> {
        self.value.cloned()
    }

    /// Returns the number of issues, which is 0 while the query fails.
    pub(crate) fn total(&self) -> usize {
        self.get().map_or(0, |window| window.total())
    }

    /// Shows other rows.
    pub(crate) fn scroll(mut self, range: Range<usize>) {
        let wanted = (range.start, range.end);
        if *self.range.peek() == wanted {
            return;
        }
        self.range.set(wanted);
        let live = self.live.peek().clone();
        if let Some(live) = live
            && live.set_range(range).is_ok()
        {
            self.value.set(live.try_get());
        }
    }
}
