//! The settings of a store.

use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;

use super::image::Answer;
use super::session::Journal;
use super::sync::OnQuarantined;
use super::synced::synced_within;
use super::{IncompatibleEvents, Log, OpenError, Store, folder, open};
use crate::eventlog::Durability;
use crate::schema::Schema;
use crate::state::{Boot, MAX_STATE_BYTES, Quarantined, UnknownEvents};
use crate::sync::SyncOptions;

/// Settings to open a store with, made by [`Store::builder`].
///
/// ```
/// # use livestore::prelude::*;
/// # use livestore_testing::sample::todos::*;
/// # fn main() -> livestore::Result<()> {
/// # let data = tempfile::tempdir().unwrap();
/// let store = Store::<App>::builder("todos")
///     .directory(data.path())
///     .durability(Durability::Synced)
///     .unknown_events(UnknownEvents::Ignore)
///     .on_boot(|boot| println!("{:?}: {} of {}", boot.stage, boot.done, boot.total))
///     .open()?;
/// assert!(data.path().join("todos/eventlog.db").exists());
/// # Ok(())
/// # }
/// ```
pub struct Builder<S> {
    pub(super) options: Options,
    schema: PhantomData<fn() -> S>,
}

/// As in LiveStore's Node adapter: a process is one window, and finds its documents again.
pub(super) const DEFAULT_WINDOW: &str = "static";

/// A builder's settings.
pub(super) struct Options {
    pub(super) store_id: String,
    pub(super) directory: Option<PathBuf>,
    pub(super) durability: Durability,
    pub(super) client_id: Option<String>,
    pub(super) window_id: String,
    pub(super) max_state_bytes: u64,
    pub(super) unknown_events: UnknownEvents,
    pub(super) incompatible_events: IncompatibleEvents,
    pub(super) on_boot: Option<Box<dyn FnMut(Boot)>>,
    pub(super) sync: Option<SyncOptions>,
    pub(super) on_quarantined: Option<OnQuarantined>,
    pub(super) single_process: bool,
    pub(super) traces_sql: bool,
    pub(super) without_files: Option<WithoutFiles>,
    /// What the backend has answered to the request for an image, if the store wants one.
    pub(super) image: Option<Answer>,
}

/// The settings of a session that cannot have the store's files: it never leads.
pub(super) struct WithoutFiles {
    pub(super) journal: Box<dyn Journal>,
}

impl Options {
    /// The folder of a store that is in a directory.
    pub(super) fn folder(&self) -> Result<PathBuf, OpenError> {
        let no_log = || OpenError::NoLog { store_id: self.store_id.clone() };
        folder::find(self.directory.as_ref().ok_or_else(no_log)?, &self.store_id)
    }
}

impl<S: Schema> Builder<S> {
    pub(super) fn new(store_id: String) -> Self {
        let options = Options {
            store_id,
            directory: None,
            durability: Durability::default(),
            client_id: None,
            window_id: DEFAULT_WINDOW.to_owned(),
            max_state_bytes: MAX_STATE_BYTES,
            unknown_events: UnknownEvents::default(),
            incompatible_events: IncompatibleEvents::default(),
            on_boot: None,
            sync: None,
            on_quarantined: None,
            single_process: false,
            traces_sql: false,
            without_files: None,
            image: None,
        };
        Self { options, schema: PhantomData }
    }

    /// Stores everything in a folder of its own in `directory`. Both are created if they are
    /// missing. Without a directory, the store is in memory, and ends with its last handle.
    ///
    /// It may be [open several times](Self::single_process).
    ///
    /// The folder is named after the store's id, as [docs/file-formats.md] says: `todos` is in
    /// `todos`, and `Todos` in `todos~1`, so that ids which differ only in case are two stores where
    /// the file system ignores it, too. The log in it knows its store: a folder that was renamed is
    /// refused, with [`OpenError::OtherStore`].
    ///
    /// [docs/file-formats.md]: https://github.com/livestore-rs/livestore/blob/main/docs/file-formats.md
    #[cfg(not(target_family = "wasm"))]
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.options.directory = Some(directory.into());
        self
    }

    /// Refuses to share the store: while it is open, nobody else can open it, and if somebody has it
    /// open, this fails with [`OpenError::Locked`].
    ///
    /// By default, a store in a directory may be open several times, in one process or in several. The
    /// first to open it leads; the others are further *sessions* of the same client, with a state of
    /// their own. What one of them commits, all of them show. If the leader ends, another session takes
    /// its place.
    #[must_use]
    pub fn single_process(mut self) -> Self {
        self.options.single_process = true;
        self
    }

    /// Sets how durable an acknowledged commit is; by default [`Durability::Written`]. A store in
    /// memory ignores it.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.options.durability = durability;
        self
    }

    /// Sets this client's id. By default, one is made with the log and stored in it.
    #[must_use]
    pub fn client_id(mut self, client_id: impl Into<String>) -> Self {
        self.options.client_id = Some(client_id.into());
        self
    }

    /// Sets the id of this window, which client documents are keyed by; by default `static`, and in a
    /// browser one for each tab. An app with several windows gives each one an id that it finds again.
    #[must_use]
    pub fn window_id(mut self, window_id: impl Into<String>) -> Self {
        self.options.window_id = window_id.into();
        self
    }

    /// Sets the most bytes that the state may take in memory; by default, and at most, 1.75 GiB. SQLite
    /// counts them in pages of 4 KiB.
    ///
    /// A commit that does not fit is refused with [`CommitError::StateFull`](crate::store::CommitError::StateFull), and
    /// what others have written stops sync with
    /// [`StopReason::StateFull`](crate::sync::StopReason::StateFull). What is in the log already is
    /// opened, even if it takes more.
    #[must_use]
    pub fn max_state_bytes(mut self, bytes: u64) -> Self {
        self.options.max_state_bytes = bytes;
        self
    }

    /// Records the SQL of every query in its [span](crate::Store::query), as `db.query.text`. Values that the
    /// query builder binds are not part of it; those that are written into SQL are.
    ///
    /// By default, no span has SQL. Args of events are in none, whatever is set.
    #[must_use]
    pub fn trace_sql(mut self) -> Self {
        self.options.traces_sql = true;
        self
    }

    /// Sets the policy for events that the schema does not know; by default, they are skipped with
    /// a warning.
    #[must_use]
    pub fn unknown_events(mut self, policy: UnknownEvents) -> Self {
        self.options.unknown_events = policy;
        self
    }

    /// Sets the policy for events that the schema cannot read, because they were written in a
    /// different shape; by default, the store is not opened.
    #[must_use]
    pub fn incompatible_events(mut self, policy: IncompatibleEvents) -> Self {
        self.options.incompatible_events = policy;
        self
    }

    /// Syncs with this backend. Events that are in the log already are pushed to it, too.
    ///
    /// Pending events stay in memory: each takes about 200 bytes, and its args.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::todos::*;
    /// # use livestore::sync::{SyncBackend, SyncOptions};
    /// # fn open(backend: impl SyncBackend) -> livestore::Result<()> {
    /// let options = SyncOptions::new(backend).payload(r#"{"authToken":"secret"}"#);
    /// let store = Store::<App>::builder("todos").sync(options).open()?;
    /// println!("{} events to push", store.sync_status()?.pending);
    /// # Ok(())
    /// # }
    /// # fn main() {}
    /// ```
    #[must_use]
    pub fn sync(mut self, options: impl Into<SyncOptions>) -> Self {
        self.options.sync = Some(options.into());
        self
    }

    /// Calls `callback` with each event that comes by sync, or is rebased, and cannot be applied. It
    /// stays in the log, and among the [quarantined](Store::quarantined).
    #[must_use]
    pub fn on_quarantined(
        mut self,
        callback: impl Fn(&Quarantined) + Send + Sync + 'static,
    ) -> Self {
        self.options.on_quarantined = Some(Box::new(callback));
        self
    }

    /// Calls `callback` with the progress of opening the store.
    #[must_use]
    pub fn on_boot(mut self, callback: impl FnMut(Boot) + 'static) -> Self {
        self.options.on_boot = Some(Box::new(callback));
        self
    }

    /// Opens the store: from the newest snapshot and the events after it, or from all events.
    ///
    /// # Errors
    /// See [`OpenError`]. In a browser, nothing can wait for the
    /// [first sync](crate::sync::InitialSync::Wait) but [`open_async`](Self::open_async).
    pub fn open(self) -> Result<Store<S>, OpenError> {
        open::open(self.options, S::def())
    }

    /// Opens the eventlog alone, without making the state: to export its events, also when the state
    /// does not fit into memory or this schema cannot read them. Creates nothing.
    ///
    /// ```
    /// # use livestore::prelude::*;
    /// # use livestore_testing::sample::todos::*;
    /// # fn export(directory: &std::path::Path) -> livestore::Result<()> {
    /// let log = Store::<App>::builder("todos").directory(directory).open_log()?;
    /// for event in log.events() {
    ///     let event = event?;
    ///     println!("{} {} {}", event.seq, event.name, event.args);
    /// }
    /// # Ok(())
    /// # }
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// [`OpenError::NoLog`] if there is no log; otherwise as [`open`](Self::open), apart from what the
    /// state needs.
    pub fn open_log(self) -> Result<Log, OpenError> {
        open::open_log(&self.options)
    }

    /// Opens the store as [`open`](Self::open) does. If it waits for the
    /// [first sync](crate::sync::InitialSync::Wait), it does not block the thread meanwhile.
    ///
    /// The rest blocks: reading the snapshot and the events after it, which takes milliseconds for most
    /// stores.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open_async(self) -> Result<Store<S>, OpenError> {
        let wait = self.options.sync.as_ref().and_then(SyncOptions::initial_wait);
        let store = match &self.options.without_files {
            #[cfg(target_family = "wasm")]
            Some(_) => open::open_without_files(self.options, S::def()).await?,
            _ => open::open_with_image(self.options, S::def()).await?,
        };
        if let Some(timeout) = wait
            && !synced_within(&store, timeout).await?
        {
            open::warn_not_synced();
        }
        Ok(store)
    }
}

impl<S> fmt::Debug for Builder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("store_id", &self.options.store_id)
            .field("directory", &self.options.directory)
            .field("durability", &self.options.durability)
            .finish_non_exhaustive()
    }
}
