//! The thread of a folder: it brings files and rows into agreement whenever one of them changes.

#![expect(clippy::disallowed_methods, reason = "it waits for time to pass")]

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use livestore::ErrorChain;
use livestore::store::{Feed, FeedError, WeakStore};

use crate::hash::Hash;
use crate::index::Index;
use crate::mapping::Mapping;
use crate::path::{is_ours, is_visible};
use crate::target::{Files, WriteError};
use crate::watch::Watch;

/// The time without events after which a file is read: an editor is done with it.
const QUIET: Duration = Duration::from_millis(100);

/// The time after which files are read although events go on.
pub(crate) const MAX_BUSY: Duration = Duration::from_secs(1);

/// The time after which a file that is missing counts as removed: editors save by removing and renaming.
pub(crate) const GRACE: Duration = Duration::from_millis(500);

/// The time between scans, which find what no event said.
const SCAN: Duration = Duration::from_secs(60);

/// The same, where the folder cannot be watched.
const SCAN_UNWATCHED: Duration = Duration::from_secs(5);

/// The pauses before what has failed is tried again: the first, which doubles, and the longest.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// A message to the worker.
pub(crate) enum Message {
    /// The store has changed.
    Store,
    /// These may have changed.
    Paths(Vec<PathBuf>),
    /// Anything may have changed.
    Scan,
    /// Answer once files and rows agree.
    Sync(Sender<Result<(), String>>),
    Stop,
}

/// Wakes the worker when the store changes.
pub(crate) struct WakeWorker(pub(crate) Sender<Message>);

impl Wake for WakeWorker {
    fn wake(self: Arc<Self>) {
        // The worker has ended if nobody receives it.
        let _ = self.0.send(Message::Store);
    }
}

pub(crate) struct Worker<M: Mapping> {
    pub(crate) store: WeakStore<M::Schema>,
    pub(crate) feed: Feed<M::Schema, Files<M>>,
    pub(crate) store_id: String,
    inbox: Receiver<Message>,
    outbox: Sender<Message>,
    watch: Option<Watch>,
    /// The files to look at.
    pub(crate) paths: BTreeSet<String>,
    /// Whether to look at all.
    pub(crate) must_scan: bool,
    /// Since when there is something to look at.
    since: Option<Instant>,
    /// When to look.
    due: Option<Instant>,
    next_scan: Instant,
    /// The rows whose files are missing, and since when.
    pub(crate) missing: HashMap<String, Instant>,
    /// Files that have changed, as they were read last, and since when: somebody may still be writing them.
    pub(crate) unfinished: HashMap<String, (Hash, Instant)>,
    /// Who waits for files and rows to agree.
    waiting: Vec<Sender<Result<(), String>>>,
    retry: Option<(Instant, Duration)>,
}

impl<M: Mapping> Worker<M> {
    pub(crate) fn new(
        store: WeakStore<M::Schema>,
        store_id: String,
        feed: Feed<M::Schema, Files<M>>,
        inbox: Receiver<Message>,
        outbox: Sender<Message>,
    ) -> Self {
        let now = Instant::now();
        let mut worker = Self {
            store,
            feed,
            store_id,
            inbox,
            outbox,
            watch: None,
            paths: BTreeSet::new(),
            must_scan: true,
            since: None,
            due: Some(now),
            next_scan: now + SCAN,
            missing: HashMap::new(),
            unfinished: HashMap::new(),
            waiting: Vec::new(),
            retry: None,
        };
        // Before the first scan, so that nothing is missed in between.
        worker.start_watch();
        worker
    }

    fn start_watch(&mut self) {
        let files = self.feed.target();
        match Watch::start(files.disk.root(), self.outbox.clone()) {
            Ok(watch) => {
                self.watch = Some(watch);
                files.report.solved("");
            }
            Err(error) => {
                self.watch = None;
                let reason =
                    format!("the folder is not watched, but looked at every few seconds: {error}");
                files.report.problem("", reason);
            }
        }
    }

    /// Runs until the folder or the store is closed.
    pub(crate) fn run(mut self) {
        let waker = Waker::from(Arc::new(WakeWorker(self.outbox.clone())));
        let mut context = Context::from_waker(&waker);
        loop {
            match self.feed.poll_changed(&mut context) {
                Poll::Ready(false) => return,
                Poll::Ready(true) => {
                    if self.update().is_break() {
                        return;
                    }
                    continue;
                }
                Poll::Pending => {}
            }
            let now = Instant::now();
            if self.next_scan <= now {
                self.scan_at(now);
            }
            if self.retry.is_some_and(|(at, _)| at <= now) {
                let _ = self.update();
            }
            if self.due.is_some_and(|due| due <= now) {
                if self.receive_all().is_break() || self.look().is_break() {
                    return;
                }
                continue;
            }
            let wake_at = self.due.into_iter().chain(self.retry.map(|(at, _)| at)).min();
            let wait = wake_at.unwrap_or(self.next_scan).min(self.next_scan) - now;
            match self.inbox.recv_timeout(wait) {
                Ok(message) => {
                    if self.receive(message).is_break() {
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Receives what has come meanwhile.
    fn receive_all(&mut self) -> ControlFlow<()> {
        while let Ok(message) = self.inbox.try_recv() {
            self.receive(message)?;
        }
        ControlFlow::Continue(())
    }

    fn receive(&mut self, message: Message) -> ControlFlow<()> {
        let now = Instant::now();
        match message {
            Message::Stop => return ControlFlow::Break(()),
            Message::Store => {}
            Message::Scan => self.scan_at(now + QUIET),
            Message::Sync(answer) => {
                self.waiting.push(answer);
                self.scan_at(now);
            }
            Message::Paths(paths) => {
                paths.iter().for_each(|path| self.note_path(path));
                if self.must_scan || !self.paths.is_empty() {
                    let since = *self.since.get_or_insert(now);
                    self.due = Some((now + QUIET).min(since + MAX_BUSY));
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn scan_at(&mut self, at: Instant) {
        self.must_scan = true;
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// Notes a path that something has happened to.
    fn note_path(&mut self, path: &Path) {
        let files = self.feed.target();
        let Ok(relative) = path.strip_prefix(files.disk.root()) else { return };
        let names: Option<Vec<&str>> =
            relative.components().map(|name| name.as_os_str().to_str()).collect();
        let Some(names) = names else {
            self.must_scan = true;
            return;
        };
        if !names.iter().all(|name| is_visible(name)) {
            return;
        }
        let relative = names.join("/");
        if is_ours(&relative, M::EXTENSION) {
            self.paths.insert(relative);
        } else if relative.is_empty() || path.is_dir() || files.index.has_below(&relative) {
            self.must_scan = true;
        }
    }

    /// Writes what has changed in the store. Breaks if that is closed.
    pub(crate) fn update(&mut self) -> ControlFlow<()> {
        let updated = match self.feed.update() {
            Err(FeedError::Target(WriteError::Gone { .. })) => self.reopen(),
            updated => updated.map(drop),
        };
        let report = Arc::clone(&self.feed.target().report);
        match updated {
            Ok(()) => {
                self.retry = None;
                report.set_failure(None);
            }
            Err(FeedError::Closed) => return ControlFlow::Break(()),
            Err(error) => {
                let pause = self.retry.map_or(RETRY.0, |(_, pause)| (2 * pause).min(RETRY.1));
                self.retry = Some((Instant::now() + pause, pause));
                report.set_failure(Some(ErrorChain::new(&error).to_string()));
            }
        }
        ControlFlow::Continue(())
    }

    /// Makes the folder again, which is gone, and writes all files.
    fn reopen(&mut self) -> Result<(), FeedError<WriteError>> {
        let files = self.feed.target_mut();
        let root = files.disk.root().to_owned();
        tracing::warn!(folder = %root.display(), "the folder is gone, and is made again");
        self.missing.clear();
        let index = Index::open(&root, &self.store_id, files.disk.is_synced());
        files.index = index.map_err(|error| FeedError::Target(error.into()))?;
        self.start_watch();
        self.feed.replace_all();
        self.scan_at(Instant::now() + QUIET);
        self.feed.update().map(drop)
    }

    /// Looks at the files that may have changed, and passes edits to the app.
    fn look(&mut self) -> ControlFlow<()> {
        let now = Instant::now();
        (self.since, self.due) = (None, None);
        if self.must_scan {
            let pause = if self.watch.is_some() { SCAN } else { SCAN_UNWATCHED };
            self.next_scan = now + pause;
            if !self.feed.target().failed.is_empty() {
                self.feed.replace_all();
            }
        }
        // Edits are compared with rows as they are now.
        self.update()?;
        if self.retry.is_none() {
            self.pass_edits(now)?;
        }
        self.answer();
        ControlFlow::Continue(())
    }

    /// Reads the files again that may still be being written.
    pub(crate) fn look_at_unfinished(&mut self, now: Instant) {
        self.paths = self.unfinished.keys().cloned().collect();
        if !self.paths.is_empty() {
            self.since = Some(now);
            self.due = Some(self.due.map_or(now + QUIET, |due| due.min(now + QUIET)));
        }
    }

    /// Answers those who wait, unless a file is missing for which it is too early to say that it was removed.
    fn answer(&mut self) {
        let files = self.feed.target();
        let answer = match files.report.failure() {
            Some(failure) => Err(failure),
            None => match self.missing.values().min() {
                Some(since) => {
                    // All files are looked at again: it may have another name.
                    let at = *since + GRACE;
                    self.scan_at(at);
                    return;
                }
                None if self.due.is_some() => return,
                None => Ok(()),
            },
        };
        for waiting in self.waiting.drain(..) {
            // Who has waited long enough does not receive it.
            let _ = waiting.send(answer.clone());
        }
    }
}
