//! Subscriptions to live queries.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use iced::Subscription;
use iced::futures::stream::{self, Stream, StreamExt as _};
use livestore::live::{Diff, List, LiveQuery, Reactive};
use livestore::table::QueryError;

/// The value of a live query, or the reason why it is not up to date.
pub type Live<V> = Result<Arc<V>, Arc<QueryError>>;

/// The changes of a live list, or the reason why it is not up to date.
pub type LiveDiffs<T> = Result<Vec<Diff<T>>, Arc<QueryError>>;

/// Subscribes to a live query, a computed or a signal: yields its current value, and then each new one.
/// Values that are out of date before iced has time for them are skipped.
///
/// ```
/// # use livestore::prelude::*;
/// # use livestore_testing::sample::items::{App, Screen};
/// use iced::Subscription;
/// use livestore_iced::{Live, live};
///
/// #[derive(Debug)]
/// enum Message {
///     Screen(Live<Screen>),
/// }
///
/// fn subscription(screen: &LiveQuery<Screen>) -> Subscription<Message> {
///     live(screen).map(Message::Screen)
/// }
/// ```
pub fn live<R: Reactive>(of: &R) -> Subscription<Live<R::Value>> {
    Subscription::run_with(Of(of.clone()), values)
}

/// Subscribes to a live list: yields the whole list as it is now, and then each change, row by row.
///
/// An app needs this if it has something of its own for each row. To show a list, [`live`] and
/// [`rows`](crate::rows) are enough.
///
/// ```
/// # use livestore::prelude::*;
/// # use livestore_testing::sample::items::Item;
/// use livestore_iced::LiveDiffs;
///
/// fn update(shown: &mut Vec<String>, message: LiveDiffs<Item>) {
///     for step in message.iter().flatten() {
///         step.apply(shown, |item| item.title.to_uppercase());
///     }
/// }
/// ```
pub fn diffs<T: Send + Sync + 'static>(of: &LiveQuery<List<T>>) -> Subscription<LiveDiffs<T>> {
    Subscription::run_with(Of(of.clone()), steps)
}

/// The identity of a subscription in iced, which is the same for two handles of one query.
struct Of<R>(R);

impl<R: Reactive> Hash for Of<R> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id().hash(state);
    }
}

fn values<R: Reactive>(Of(of): &Of<R>) -> impl Stream<Item = Live<R::Value>> + use<R> {
    let live = of.clone();
    of.stream().map(move |value| live.error().map_or(Ok(value), Err))
}

fn steps<T: Send + Sync + 'static>(
    Of(of): &Of<LiveQuery<List<T>>>,
) -> impl Stream<Item = LiveDiffs<T>> + use<T> {
    let live = of.clone();
    of.diffs().flat_map(move |steps| {
        let error = live.error();
        // Without steps, the query has begun to fail, or works again.
        let steps = (!steps.is_empty() || error.is_none()).then_some(Ok(steps));
        stream::iter(steps.into_iter().chain(error.map(Err)))
    })
}
