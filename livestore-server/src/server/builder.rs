use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::extension::Extension;
use super::limits::Limits;
use super::metrics::Metrics;
use super::{Backend, Server};
use crate::auth::{Authenticate, NoAuth};
use crate::hub::Hub;
use crate::store::EventStore;

/// Makes a [`Server`], step by step: see [`Server::builder`].
pub struct Builder {
    pub(crate) hub: Hub,
    pub(crate) auth: Arc<dyn Authenticate>,
    pub(crate) metrics: Arc<Metrics>,
    limits: Limits,
}

impl Builder {
    pub(super) fn new(store: Arc<dyn EventStore>) -> Self {
        Self {
            hub: Hub::new(store),
            auth: Arc::new(NoAuth),
            metrics: Arc::default(),
            limits: Limits::default(),
        }
    }

    /// Sets who decides which client may do what; without it, everyone may do everything.
    #[must_use]
    pub fn auth(self, auth: Arc<dyn Authenticate>) -> Self {
        Self { auth, ..self }
    }

    /// Sets the limits.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Listens on an address. Clients are served by [`Server::serve`].
    ///
    /// # Errors
    /// If the address cannot be used.
    pub async fn bind(self, address: &str) -> io::Result<Server> {
        self.bind_with(address, Router::new(), None).await
    }

    /// Listens on an address, with more routes, and something that sees each push.
    pub(crate) async fn bind_with(
        self,
        address: &str,
        routes: Router,
        extension: Option<Arc<dyn Extension>>,
    ) -> io::Result<Server> {
        let listener = TcpListener::bind(address).await?;
        let Self { hub, auth, metrics, limits } = self;
        let drain = watch::Sender::new(false);
        let backend = Backend { hub, auth, limits, metrics, extension, drain };
        Ok(Server { listener, routes, backend: Arc::new(backend) })
    }
}

impl Server {
    /// Begins to make a server, whose events are in this storage.
    ///
    /// ```no_run
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::sync::Arc;
    /// use livestore_server::auth::TokenFile;
    /// use livestore_server::store::{Durability, SqliteStore, StoreLimits};
    /// use livestore_server::Server;
    ///
    /// let store = SqliteStore::open("data".as_ref(), Durability::Synced, StoreLimits::NONE)?;
    /// let server = Server::builder(Arc::new(store))
    ///     .auth(Arc::new(TokenFile::open("tokens".as_ref())?))
    ///     .bind("127.0.0.1:8787")
    ///     .await?;
    /// server.serve(std::future::pending()).await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(store: Arc<dyn EventStore>) -> Builder {
        Builder::new(store)
    }

    /// Listens on an address. Clients are served by [`serve`](Self::serve).
    ///
    /// # Errors
    /// If the address cannot be used.
    pub async fn bind(
        address: &str,
        store: Arc<dyn EventStore>,
        auth: Arc<dyn Authenticate>,
        limits: Limits,
    ) -> io::Result<Self> {
        Self::builder(store).auth(auth).limits(limits).bind(address).await
    }

    /// The time that a server that stops waits for what has begun.
    #[cfg(feature = "schema")]
    pub(crate) fn drain(&self) -> std::time::Duration {
        self.backend.limits.drain
    }

    /// Returns the address that it listens on.
    ///
    /// # Errors
    /// If the operating system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}
