//! Several clients of one app.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fmt, io};

use livestore::Store;
use livestore::schema::Schema;
use livestore::store::{CloseError, OpenError};
use livestore::sync::NetworkStatus;
use livestore_sync::InProcess;
use tempfile::TempDir;

use crate::converge::{NotSynced, assert_converged, sync_to};
use crate::directory::{copy_files, replace_directory};
use crate::wait::{TIMEOUT, wait_until};

/// The id of the store that all clients have.
const STORE_ID: &str = "test";

/// Clients of an app with schema `S`, which sync through a backend in this process. Each has a
/// directory of its own; all of that is removed when this is dropped.
///
/// See the [front page](crate) for an example.
pub struct Clients<S: Schema> {
    backend: InProcess,
    open: Mutex<Vec<Client<S>>>,
    // Dropped after the stores in it.
    directory: TempDir,
}

impl<S: Schema> Clients<S> {
    /// A backend, and no clients yet.
    ///
    /// # Panics
    /// If no temporary directory can be made.
    #[expect(clippy::new_without_default, reason = "it makes a directory")]
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        Self { backend: InProcess::new(), open: Mutex::default(), directory }
    }

    /// Opens the store of a client, which goes online at once. It stays open until it is
    /// [closed](Client::close) or all clients are dropped.
    ///
    /// # Errors
    /// See [`OpenError`]. If the client is open already, this opens one more session of it.
    pub fn open(&self, client_id: &str) -> Result<Client<S>, OpenError> {
        let builder = Store::builder(STORE_ID).directory(self.path(client_id));
        let store = builder.client_id(client_id).sync(self.backend.clone()).open()?;
        let client = Client { store, is_offline: Arc::default() };
        // Its sync is paused until the thread that syncs has started.
        wait_until(|| client.network() != NetworkStatus::Paused);
        self.clients().push(client.handle());
        Ok(client)
    }

    /// Closes a client's store and opens it again, as an app that ends and starts.
    ///
    /// ```
    /// use livestore::prelude::*;
    /// use livestore_testing::Clients;
    /// use livestore_testing::sample::notes::{App, added};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let clients = Clients::<App>::new();
    /// let (alice, bob) = (clients.open("alice")?, clients.open("bob")?);
    /// alice.offline();
    /// alice.commit(added("1"))?;
    /// let alice = clients.restart(alice)?;             // what was pending is still there
    /// clients.sync()?;
    /// assert_eq!((alice.head()?.global, bob.head()?.global), (1, 1));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the store cannot be closed or opened.
    pub fn restart(&self, client: Client<S>) -> livestore::Result<Client<S>> {
        let client_id = client.client_id().to_owned();
        client.close()?;
        Ok(self.open(&client_id)?)
    }

    /// Ends a client's app where it is, as if its process were killed, and opens its store again: from the
    /// files as they are at this moment.
    ///
    /// ```
    /// use livestore::prelude::*;
    /// use livestore_testing::Clients;
    /// use livestore_testing::sample::notes::{App, added};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let clients = Clients::<App>::new();
    /// let (alice, _bob) = (clients.open("alice")?, clients.open("bob")?);
    /// alice.offline();
    /// alice.commit(added("1"))?;
    /// let alice = clients.crash(alice)?;               // what was committed is still there
    /// clients.sync()?;
    /// clients.assert_converged();
    /// assert_eq!(alice.head()?.global, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the files cannot be copied, or the store not be opened.
    pub fn crash(&self, client: Client<S>) -> Result<Client<S>, RestartError> {
        self.reopen_from(client, |_| true)
    }

    /// Ends a client's app where it is, as if the power failed, and opens its store again: from what was on
    /// the disk for certain. Commits that no client has yet can be lost, as the store's
    /// [durability](livestore::Durability) is `Written`: here they are, back to when SQLite has last
    /// checkpointed its log.
    ///
    /// ```
    /// use livestore::prelude::*;
    /// use livestore_testing::Clients;
    /// use livestore_testing::sample::notes::{App, added};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let clients = Clients::<App>::new();
    /// let (alice, bob) = (clients.open("alice")?, clients.open("bob")?);
    /// alice.commit(added("1"))?;
    /// clients.sync()?;
    /// alice.offline();
    /// alice.commit(added("2"))?;
    /// clients.power_cut(alice)?;
    /// clients.sync()?;
    /// clients.assert_converged();
    /// assert_eq!(bob.head()?.global, 1);               // what had left the client is not lost
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the files cannot be copied, or the store not be opened.
    pub fn power_cut(&self, client: Client<S>) -> Result<Client<S>, RestartError> {
        self.reopen_from(client, |file| file != "eventlog.db-wal")
    }

    /// Closes the client, and opens it again with the files that it has now, as far as they are `kept`.
    fn reopen_from(
        &self,
        client: Client<S>,
        kept: impl Fn(&str) -> bool,
    ) -> Result<Client<S>, RestartError> {
        let client_id = client.client_id().to_owned();
        let path = self.path(&client_id);
        let left = tempfile::tempdir_in(self.directory.path()).map_err(RestartError::Files)?;
        client.offline();
        copy_files(&path, left.path(), &kept).map_err(RestartError::Files)?;
        client.close().map_err(RestartError::Close)?;
        replace_directory(&path, left.path()).map_err(RestartError::Files)?;
        Ok(self.open(&client_id)?)
    }

    /// Forces a conflict: takes these clients offline, has them `commit`, and then syncs them one after the
    /// other. So the first one's events come first, and those of the others are rebased.
    ///
    /// ```
    /// use livestore::prelude::*;
    /// use livestore_testing::Clients;
    /// use livestore_testing::sample::notes::{App, Note, written};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let clients = Clients::<App>::new();
    /// let (alice, bob) = (clients.open("alice")?, clients.open("bob")?);
    /// clients.conflict(&[&bob, &alice], || {
    ///     alice.commit(written("milk"))?;
    ///     bob.commit(written("milk"))
    /// })??;
    /// clients.assert_converged();
    /// assert_eq!(alice.events().into_iter().next().unwrap()?.client_id.as_ref(), "bob");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`sync`](Self::sync). What `commit` returns is returned.
    ///
    /// # Panics
    /// If one of the stores is closed.
    #[track_caller]
    pub fn conflict<R>(
        &self,
        clients: &[&Client<S>],
        commit: impl FnOnce() -> R,
    ) -> Result<R, NotSynced> {
        clients.iter().for_each(|client| client.offline());
        let result = commit();
        for client in clients {
            client.online();
            self.sync()?;
        }
        Ok(result)
    }

    /// Waits until every client that is not [offline](Client::offline) has all events.
    ///
    /// # Errors
    /// If it takes longer than [`TIMEOUT`], or a client has stopped syncing. The error names each
    /// client that lags, and why.
    pub fn sync(&self) -> Result<(), NotSynced> {
        self.sync_within(TIMEOUT)
    }

    /// [`sync`](Self::sync) with a time limit of your own, for a test that expects it to fail.
    ///
    /// ```
    /// use livestore::prelude::*;
    /// use livestore_testing::Clients;
    /// use livestore_testing::sample::notes::{App, added};
    /// use std::time::Duration;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let clients = Clients::<App>::new();
    /// let alice = clients.open("alice")?;
    /// clients.sync()?;
    /// clients.backend().set_online(false);
    /// alice.commit(added("1"))?;
    /// let error = clients.sync_within(Duration::from_millis(10)).unwrap_err();
    /// assert!(error.to_string().contains("alice has e0 of e0, 1 pending"), "{error}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`sync`](Self::sync), with `timeout` as the limit.
    pub fn sync_within(&self, timeout: Duration) -> Result<(), NotSynced> {
        let last = || self.backend.events(STORE_ID).last().map_or(0, |event| event.seq);
        let clients = self.open_clients();
        let online = clients.iter().filter(|client| !client.is_offline.load(Ordering::Relaxed));
        sync_to(|| Some(last()), &online.map(|client| &client.store).collect::<Vec<_>>(), timeout)
    }

    /// Checks that all clients have the same synced events and the same state, as
    /// [`assert_converged`](crate::assert_converged) does; also those that are offline.
    ///
    /// # Panics
    /// If they differ.
    #[track_caller]
    pub fn assert_converged(&self) {
        let clients = self.open_clients();
        assert_converged(&clients.iter().map(|client| &client.store).collect::<Vec<_>>());
    }

    /// The backend: it can be taken offline, lose a push or an answer, or forget everything.
    pub fn backend(&self) -> &InProcess {
        &self.backend
    }

    /// The directory of a client.
    pub fn path(&self, client_id: &str) -> PathBuf {
        self.directory.path().join(client_id)
    }

    /// Handles of the clients that are open still.
    fn open_clients(&self) -> Vec<Client<S>> {
        let mut clients = self.clients();
        clients.retain(|client| client.store.head().is_ok());
        clients.iter().map(Client::handle).collect()
    }

    fn clients(&self) -> MutexGuard<'_, Vec<Client<S>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Schema> fmt::Debug for Clients<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients")
            .field("backend", &self.backend)
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

/// Why a client was not opened again after a crash.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestartError {
    /// Its files could not be copied.
    #[error("the files of the client could not be copied")]
    Files(#[source] io::Error),
    /// Its store could not be closed.
    #[error("the client that is to crash could not be closed")]
    Close(#[source] CloseError),
    /// Its store could not be opened again.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// One of several [`Clients`]: a store, which goes offline and online.
pub struct Client<S: Schema> {
    store: Store<S>,
    is_offline: Arc<AtomicBool>,
}

impl<S: Schema> Client<S> {
    /// Takes this client offline, until it goes [`online`](Self::online).
    ///
    /// # Panics
    /// If the store is closed.
    #[track_caller]
    pub fn offline(&self) {
        self.is_offline.store(true, Ordering::Relaxed);
        self.store.pause_sync();
        wait_until(|| self.network() == NetworkStatus::Paused);
    }

    /// Takes this client online again. It syncs from now on; [`Clients::sync`] waits for it.
    ///
    /// # Panics
    /// If the store is closed.
    #[track_caller]
    pub fn online(&self) {
        self.is_offline.store(false, Ordering::Relaxed);
        self.store.resume_sync();
        wait_until(|| self.network() != NetworkStatus::Paused);
    }

    /// Closes the store.
    ///
    /// # Errors
    /// See [`Store::close`].
    pub fn close(self) -> Result<(), CloseError> {
        self.store.close()
    }

    fn handle(&self) -> Self {
        Self { store: self.store.clone(), is_offline: Arc::clone(&self.is_offline) }
    }

    #[track_caller]
    fn network(&self) -> NetworkStatus {
        self.store.network_status().expect("the store is open")
    }
}

impl<S: Schema> Deref for Client<S> {
    type Target = Store<S>;

    fn deref(&self) -> &Store<S> {
        &self.store
    }
}

impl<S: Schema> fmt::Debug for Client<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("client_id", &self.store.client_id()).finish_non_exhaustive()
    }
}
