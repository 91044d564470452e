//! What is in a store's folder, for tools that do not know the app's types.
//!
//! A [`Folder`] reads the eventlog, and the state from its newest snapshot, of a store that nobody has
//! open, that a running app leads, or that was left by a crash. It changes nothing: it makes no file,
//! moves nothing from the WAL to the log, and takes no lock that an app waits for. So it can look at a
//! folder on a read-only disk, and a debugger can look at what a crash has left without tidying it up.
//!
//! ```
//! use livestore::inspect::{Folder, folders};
//! # fn look(directory: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
//! for path in folders(directory)? {
//!     let folder = Folder::open(&path)?;
//!     println!("{}: {} events", folder.info()?.store_id, folder.info()?.events);
//!     for event in folder.events() {
//!         let event = event?;
//!         println!("{} {} {}", event.seq, event.name, event.args);
//!     }
//!     let state = folder.snapshot()?;
//!     state.query("SELECT count(*) FROM todo")?.for_each(|values| {
//!         println!("{values:?}");
//!         std::ops::ControlFlow::Continue(())
//!     })?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What can be seen
//!
//! - **The log**, up to what has been written. A running app may have committed more: with
//!   [`Durability::Buffered`](crate::Durability::Buffered), what it commits arrives some milliseconds
//!   later. [`has_changed`](Folder::has_changed) says when to read on.
//! - **The state**, if an app has the store open: it is [asked](Folder::running_state), over the socket by
//!   which the sessions of a client reach their leader, and sends a copy. It also says how far it is with its
//!   [sync](Folder::running), and which sessions there are. A tool is no session: it has no types, and commits
//!   nothing.
//! - **The state** of the [snapshot](Folder::snapshot) otherwise, which is behind the log. Only materializers
//!   can bring it further, so a tool that has the app's schema can [replay](Folder::replay) to any event,
//!   and others have the state as of the snapshot's last event only.
//!
//! An app that has the store open looks at it with the store's own methods instead.

mod error;
mod events;
mod replay;
mod running;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use crate::state::{Interrupt, Query, StateView, TableColumn, TableInfo};
pub use error::{InspectError, SnapshotProblem};
pub use events::FolderEvents;
pub use running::Running;

use running::Leader;

use crate::edge::{DirectoryLock, files};
use crate::event::{EncodedEvent, SeqNum};
use crate::eventlog::{Eventlog, EventlogError, FileView, IoError};
use crate::schema::SchemaDef;
use crate::state::{Divergence, Snapshot};
use crate::store::{EVENTLOG, SNAPSHOT, folder_name};
use crate::sync::merge::SyncState;

/// Returns the folders of the stores in a directory, by name; the directory itself, if it is a store's.
///
/// # Errors
/// When the directory cannot be read.
pub fn folders(directory: &Path) -> Result<Vec<PathBuf>, IoError> {
    let has_log = |folder: &PathBuf| files::exists(&folder.join(EVENTLOG));
    if has_log(&directory.to_owned()) {
        return Ok(vec![directory.to_owned()]);
    }
    let mut names = files::list(directory)?;
    names.sort_unstable();
    Ok(names.into_iter().map(|name| directory.join(name)).filter(has_log).collect())
}

/// Returns the folder that a store has in a directory, whether or not it is there.
pub fn folder_of(directory: &Path, store_id: &str) -> PathBuf {
    directory.join(folder_name(store_id))
}

/// A store's folder, which is only read.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    view: Arc<FileView>,
    log: Eventlog,
    store_id: String,
    leader: Leader,
}

/// What a store's folder says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Info {
    /// The store.
    pub store_id: String,
    /// The client that the folder belongs to.
    pub client_id: String,
    /// Changes when confirmed events are removed from the log.
    pub history_id: String,
    /// The sync backend, once the client has met it.
    pub backend_id: Option<String>,
    /// The last event that has its place in the backend's order; `None` if there was no backend yet.
    pub upstream_head: Option<u64>,
    /// The last event of the log.
    pub head: SeqNum,
    /// The last event that is not pending. Without a backend, that is the head.
    pub confirmed_head: SeqNum,
    /// The number of events.
    pub events: u64,
    /// The number of those that are pending.
    pub pending: u64,
    /// The length of the log's file in bytes, with its WAL.
    pub log_bytes: u64,
    /// Whether a store has the folder open.
    pub is_open: bool,
}

/// What a snapshot says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SnapshotInfo {
    /// The last event that its state is made of.
    pub head: SeqNum,
    /// The hash of the schema whose materializers made it.
    pub schema_hash: i64,
    /// The file's length in bytes.
    pub bytes: u64,
}

/// The events of one name in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamedEvents {
    /// The events' name.
    pub name: String,
    /// The number of events.
    pub events: u64,
    /// The bytes of their args.
    pub bytes: u64,
}

impl Folder {
    /// Opens the folder of a store, to read it.
    ///
    /// # Errors
    /// When it is not a store's folder, or its log cannot be read.
    pub fn open(path: &Path) -> Result<Self, InspectError> {
        let path = files::absolute(path).map_err(|error| InspectError::unreadable(path, error))?;
        let log = path.join(EVENTLOG);
        match files::is_there(&log) {
            Ok(true) => {}
            Ok(false) => return Err(InspectError::NoStore { path }),
            Err(error) => return Err(InspectError::unreadable(&path, error)),
        }
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let view = Arc::new(FileView::open(&log, &name)?);
        let store_id = view.store_id()?;
        let log = Eventlog::shared(Arc::clone(&view));
        let leader = Leader::of(&path, &store_id);
        Ok(Self { path, view, log, store_id, leader })
    }

    /// The folder's path, from the root.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The store whose folder it is.
    pub fn store_id(&self) -> &str {
        &self.store_id
    }

    /// Returns what the folder says of itself. Reads the end of the log only.
    ///
    /// # Errors
    /// When the log cannot be read, or its last event is damaged.
    pub fn info(&self) -> Result<Info, InspectError> {
        let upstream = self.log.upstream()?;
        let meta = |key| Ok::<_, EventlogError>(self.view.meta(key)?.unwrap_or_default());
        let confirmed_head = self.confirmed_head()?;
        Ok(Info {
            store_id: self.store_id.clone(),
            client_id: meta("client_id")?,
            history_id: meta("history_id")?,
            backend_id: upstream.as_ref().and_then(|upstream| upstream.backend_id.clone()),
            upstream_head: upstream.map(|upstream| upstream.head),
            head: self.log.head()?,
            confirmed_head,
            events: self.log.count(SeqNum::ROOT)?,
            pending: self.log.count(confirmed_head)?,
            log_bytes: self.view.length(),
            is_open: self.is_open()?,
        })
    }

    /// Returns whether a store has the folder open: an app, or another tool that writes.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn is_open(&self) -> Result<bool, InspectError> {
        DirectoryLock::is_held(&self.path)
            .map_err(|error| InspectError::unreadable(&self.path, error))
    }

    /// Returns whether the log was written since this was last asked.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn has_changed(&self) -> Result<bool, EventlogError> {
        self.view.has_changed()
    }

    /// The last event's number; `e0` if there is none.
    ///
    /// # Errors
    /// When the log cannot be read, or its last event is damaged.
    pub fn head(&self) -> Result<SeqNum, EventlogError> {
        self.log.head()
    }

    /// The number of the last event that is not pending.
    ///
    /// # Errors
    /// When the log cannot be read, or an event that it looks at is damaged.
    pub fn confirmed_head(&self) -> Result<SeqNum, EventlogError> {
        match self.log.upstream()? {
            Some(_) => SyncState::read_confirmed_head(&self.log),
            None => self.log.head(),
        }
    }

    /// Returns the number of events after `after`. Reads the numbers of all of them.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn count(&self, after: SeqNum) -> Result<u64, EventlogError> {
        self.log.count(after)
    }

    /// Returns the number of the event that comes `count` events after `after`, or of the last one if
    /// there are fewer; `None` if there are none. Reads the numbers of those in between.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn skip(&self, after: SeqNum, count: usize) -> Result<Option<SeqNum>, EventlogError> {
        self.log.skip(after, count)
    }

    /// Returns the number of the event behind which the last `count` events up to `up_to` come; `None` if
    /// there is none, as when there are no more than that. Reads the numbers of those in between.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn skip_back(&self, up_to: SeqNum, count: usize) -> Result<Option<SeqNum>, EventlogError> {
        self.log.skip_back(up_to, count)
    }

    /// Returns all events, in order. They are read page by page; each is checked, and the first that is
    /// damaged ends the iteration with an error.
    pub fn events(&self) -> FolderEvents {
        FolderEvents::new(self.log.clone())
    }

    /// Returns the event at this place, if there is one.
    ///
    /// # Errors
    /// When the log cannot be read, or the event is damaged.
    pub fn event(&self, seq: SeqNum) -> Result<Option<EncodedEvent>, EventlogError> {
        self.log.event(seq)
    }

    /// Returns the log's names, with the number and size of their events. Reads the whole log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn names(&self) -> Result<Vec<NamedEvents>, EventlogError> {
        let sizes = self.view.sizes()?.into_iter();
        Ok(sizes.map(|(name, events, bytes)| NamedEvents { name, events, bytes }).collect())
    }

    /// Returns the names of events with the shapes that their args were written in, as
    /// `livestore.lock` has them.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn shapes(&self) -> Result<Vec<(String, String)>, EventlogError> {
        self.log.shapes()
    }

    /// Returns what the app says that has the store open. `None` if none has, or one that does not answer
    /// tools: it has the store to itself, or is made with another version of this library.
    ///
    /// # Errors
    /// When the app should answer, and does not.
    pub fn running(&self) -> Result<Option<Running>, InspectError> {
        Ok(self.leader.ask(false)?.map(Running::from))
    }

    /// Returns the state as the app sees it that has the store open, with what is pending; `None` as
    /// [`running`](Self::running) does. The app copies its state for that, and sends it.
    ///
    /// # Errors
    /// When the app should answer, and does not, or its state is too large to be sent.
    pub fn running_state(&self) -> Result<Option<StateView>, InspectError> {
        let Some(inspected) = self.leader.ask(true)? else { return Ok(None) };
        inspected.state.map(running::view).transpose()
    }

    /// Returns the newest state that can be had: [the app's](Self::running_state) if it is running, and
    /// otherwise that of the newest [snapshot](Self::snapshot).
    ///
    /// # Errors
    /// As those two.
    pub fn state(&self) -> Result<StateView, InspectError> {
        match self.running_state()? {
            Some(state) => Ok(state),
            None => self.snapshot(),
        }
    }

    /// Returns the state of the newest snapshot, if it is whole and made of this log's events. It is read
    /// into memory.
    ///
    /// # Errors
    /// [`InspectError::Snapshot`] if there is none, or none that can be used.
    pub fn snapshot(&self) -> Result<StateView, InspectError> {
        let (state, schema_hash) = self.snapshot_file().read_untyped(self.confirmed_head()?)?;
        Ok(StateView::new(state, Some(schema_hash)))
    }

    /// Returns what the newest snapshot says of itself. Its state is not read, and may be damaged.
    ///
    /// # Errors
    /// [`InspectError::Snapshot`] if there is none, or none that can be used.
    pub fn snapshot_info(&self) -> Result<SnapshotInfo, InspectError> {
        let described = self.snapshot_file().describe(self.confirmed_head()?)?;
        let (head, schema_hash, bytes) = described;
        Ok(SnapshotInfo { head, schema_hash, bytes })
    }

    /// Makes the state as of the event `to`, with the app's materializers: from the snapshot if it is of
    /// this schema and not behind, or from all events.
    ///
    /// # Errors
    /// [`InspectError::NoSuchEvent`] if the log has no event `to`; otherwise when the log cannot be read,
    /// or the state not made.
    pub fn replay(
        &self,
        schema: &'static SchemaDef,
        to: SeqNum,
    ) -> Result<StateView, InspectError> {
        replay::replay(&self.log, &self.snapshot_file(), schema, to)
    }

    /// Compares the snapshot with a replay of the log up to its last event. Returns that event, and where
    /// the two part, if they do.
    ///
    /// # Errors
    /// [`InspectError::Snapshot`] if there is no snapshot of this schema; otherwise when the log cannot be
    /// read, or the state not made.
    pub fn compare_snapshot(
        &self,
        schema: &'static SchemaDef,
    ) -> Result<(SeqNum, Option<Divergence>), InspectError> {
        let confirmed = self.confirmed_head()?;
        let (state, _) = self.snapshot_file().read(schema, confirmed, &mut |_, _| ())?;
        Ok((state.head, state.compare_with_replay(&self.log)?))
    }

    fn snapshot_file(&self) -> Snapshot {
        Snapshot { path: self.path.join(SNAPSHOT), log: self.log.clone() }
    }
}
