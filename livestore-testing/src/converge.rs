//! Stores that sync with one another, until they agree.

use std::collections::HashSet;
use std::fmt;
use std::time::{Duration, Instant};

use livestore::prelude::*;
use livestore::sync::{NetworkStatus, SyncStatus};

use crate::state_text;
use crate::wait::{TIMEOUT, poll};

/// Waits until every store has all events.
///
/// ```
/// use livestore::prelude::*;
/// use livestore_sync::InProcess;
/// use livestore_testing::sample::notes::{App, added};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let backend = InProcess::new();
/// let open = |client: &str| {
///     Store::<App>::builder("notes").client_id(client).sync(backend.clone()).open()
/// };
/// let (a, b) = (open("a")?, open("b")?);
/// a.commit(added("1"))?;
/// livestore_testing::sync(&[&a, &b])?;
/// assert_eq!(b.head()?.global, 1);
/// # Ok(())
/// # }
/// ```
///
/// The stores are those of one store id, and other clients of it commit nothing meanwhile. A store
/// that is offline tries to connect at once; one whose sync is [paused](Store::pause_sync) stays so.
///
/// # Errors
/// If it takes longer than [`TIMEOUT`], or a store has stopped syncing. The error names each store
/// that lags, and why.
pub fn sync<S: Schema>(stores: &[&Store<S>]) -> Result<(), NotSynced> {
    sync_to(|| None, stores, TIMEOUT)
}

/// Checks that the stores have the same synced events and the same state, client documents left
/// out.
///
/// A table that client-only events write to may differ between clients, and fails this.
///
/// # Panics
/// If they differ, with the first events or rows that do; or if a store cannot be read.
#[track_caller]
pub fn assert_converged<S: Schema>(stores: &[&Store<S>]) {
    let Some((first, others)) = stores.split_first() else { return };
    let expected = content(first);
    for other in others {
        if let Some(difference) = difference(&expected, &content(other)) {
            panic!(
                "the clients have not converged:\n{}{}{difference}",
                heading('-', first),
                heading('+', other)
            );
        }
    }
}

/// The stores are not synced, or not in time.
#[derive(Clone, PartialEq, Eq)]
pub struct NotSynced {
    timeout: Duration,
    lagging: Vec<Lagging>,
}

/// A client that does not have all events, or has events that the backend does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lagging {
    /// The client's id.
    pub client_id: String,
    /// The number of the backend's last event, as far as it is known.
    pub head: u64,
    /// How far the client is, and how its connection does.
    pub status: SyncStatus,
}

impl NotSynced {
    /// The clients that lag.
    pub fn lagging(&self) -> &[Lagging] {
        &self.lagging
    }
}

impl std::error::Error for NotSynced {}

impl fmt::Display for NotSynced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not synced within {:?}", self.timeout)?;
        self.lagging.iter().try_for_each(|lagging| write!(f, "\n  {lagging}"))
    }
}

/// As [`Display`](fmt::Display), so that `unwrap` in a test is read well.
impl fmt::Debug for NotSynced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Lagging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client_id, head, status } = self;
        let (at, pending) = (status.upstream_head.global, status.pending);
        write!(f, "{client_id} has e{at} of e{head}, {pending} pending, {}", status.network)
    }
}

/// [`sync`], where the number of the backend's last event may be known, too.
pub(crate) fn sync_to<S: Schema>(
    backend_head: impl Fn() -> Option<u64>,
    stores: &[&Store<S>],
    timeout: Duration,
) -> Result<(), NotSynced> {
    let mut reconnect = Reconnect::default();
    let mut lagging = Vec::new();
    let result = poll(timeout, || {
        lagging = find_lagging(&backend_head, stores);
        if lagging.is_empty() {
            return Some(true);
        }
        reconnect.offline_stores(stores);
        let is_stopped =
            |client: &Lagging| matches!(client.status.network, NetworkStatus::Stopped(_));
        lagging.iter().any(is_stopped).then_some(false)
    });
    if result == Some(true) { Ok(()) } else { Err(NotSynced { timeout, lagging }) }
}

fn find_lagging<S: Schema>(
    backend_head: impl Fn() -> Option<u64>,
    stores: &[&Store<S>],
) -> Vec<Lagging> {
    let status = |store: &&Store<S>| {
        // A store that is closed has nothing to do with it any more.
        let status = store.sync_status().ok()?;
        Some((store.client_id().to_owned(), status))
    };
    let clients: Vec<_> = stores.iter().filter_map(status).collect();
    let heads = clients.iter().map(|(_, status)| status.upstream_head.global);
    // Asked after the clients: once nothing is pending, the backend's head grows no more.
    let head = backend_head().or(heads.max()).unwrap_or_default();
    let lags = |status: &SyncStatus| !status.is_synced() || status.upstream_head.global != head;
    let clients = clients.into_iter().filter(|(_, status)| lags(status));
    clients.map(|(client_id, status)| Lagging { client_id, head, status }).collect()
}

/// Has stores that are offline connect without waiting, now and then.
#[derive(Default)]
struct Reconnect {
    last: Option<Instant>,
}

impl Reconnect {
    #[expect(clippy::disallowed_methods, reason = "tests are an edge: they have a clock")]
    fn offline_stores<S: Schema>(&mut self, stores: &[&Store<S>]) {
        const INTERVAL: Duration = Duration::from_millis(20);
        if self.last.is_some_and(|last| last.elapsed() < INTERVAL) {
            return;
        }
        self.last = Some(Instant::now());
        let is_offline =
            |store: &Store<S>| matches!(store.network_status(), Ok(NetworkStatus::Offline { .. }));
        stores.iter().filter(|store| is_offline(store)).for_each(|store| store.resume_sync());
    }
}

/// The synced events and the rows of a store, a line each.
#[track_caller]
fn content<S: Schema>(store: &Store<S>) -> Vec<String> {
    let readable = "the store is open and can be read";
    let events = store.events().into_iter().map(|event| event.expect(readable));
    let synced = events.filter(|event| !event.is_client_only());
    let mut lines: Vec<_> = synced
        .map(|event| {
            format!("e{} {} {} by {}", event.seq.global, event.name, event.args, event.client_id)
        })
        .collect();
    lines.extend(state_text(store).expect(readable).lines().map(str::to_owned));
    lines
}

fn heading<S: Schema>(sign: char, store: &Store<S>) -> String {
    let status = store.sync_status().map_or_else(
        |error| error.to_string(),
        |status| format!("{} pending, {}", status.pending, status.network),
    );
    format!("{sign} {} ({status})\n", store.client_id())
}

/// The first lines that only one of them has, up to some; `None` if there are none.
fn difference(expected: &[String], found: &[String]) -> Option<String> {
    const MAX_LINES: usize = 6;
    if expected == found {
        return None;
    }
    let only = |sign: char, lines: &[String], others: &[String]| {
        let others: HashSet<&String> = others.iter().collect();
        let only = lines.iter().filter(|line| !others.contains(line)).take(MAX_LINES);
        only.map(|line| format!("{sign} {line}\n")).collect::<String>()
    };
    Some(only('-', expected, found) + &only('+', found, expected))
}
