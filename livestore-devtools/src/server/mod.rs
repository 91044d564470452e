//! The local web server.

mod routes;
mod socket;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use livestore::inspect::InspectError;
use livestore::new_id;
use livestore::prelude::*;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use self::routes::Gate;
use crate::host::Host;

/// How long a browser may take to send the head of a request.
const HEAD: Duration = Duration::from_secs(10);

/// Serves the devtools of a store on a free port of 127.0.0.1, and prints their URL to the standard error
/// stream. Ends with the store.
///
/// # Errors
/// When there is no port, or no thread.
pub fn serve<S: Schema>(store: &Store<S>) -> Result<Devtools, ServeError> {
    let devtools = serve_with(store, Options::default())?;
    #[expect(clippy::print_stderr, reason = "that is what the function is for")]
    {
        eprintln!("devtools: {}", devtools.url());
    }
    Ok(devtools)
}

/// Serves the devtools of a store. Prints nothing. Ends with the store.
///
/// ```
/// # use livestore::prelude::*;
/// # use livestore_testing::sample::todos::*;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let store = Store::<App>::builder("todos").open()?;
/// use livestore_devtools::{Options, serve_with};
///
/// let devtools = serve_with(&store, Options::default())?;
/// assert!(devtools.url().starts_with("http://127.0.0.1:"));
/// devtools.stop();
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When there is no port, or no thread.
pub fn serve_with<S: Schema>(store: &Store<S>, options: Options) -> Result<Devtools, ServeError> {
    let weak = store.downgrade();
    let is_open = move || weak.upgrade().is_some_and(|store| store.head().is_ok());
    serve_host(Host::new(store), options, is_open)
}

/// Serves the devtools of a store's folder, whether or not an app has it open. They show the log, and the
/// state of the last snapshot; for the rest they need the app's types. Prints nothing. Goes on until it is
/// [stopped](Devtools::stop).
///
/// # Errors
/// When it is not a store's folder; when there is no port, or no thread.
pub fn serve_folder(path: &Path, options: Options) -> Result<Devtools, ServeError> {
    serve_host(Host::of_folder(path)?, options, || true)
}

fn serve_host(
    host: Arc<Host>,
    options: Options,
    is_open: impl Fn() -> bool + Send + 'static,
) -> Result<Devtools, ServeError> {
    let at = SocketAddr::new(options.address, options.port);
    let failed = |source| ServeError::Address { at, source };
    let listener = TcpListener::bind(at).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let gate = Gate::new(new_id(), address, options.hosts);
    let (stop, stopped) = watch::channel(false);
    let url = format!("http://{}/#token={}", shown(address), gate.token());
    std::thread::Builder::new()
        .name("livestore-devtools".to_owned())
        .spawn(move || run(listener, Arc::new(gate), host, stopped, is_open))
        .map_err(ServeError::Thread)?;
    Ok(Devtools { url, stop })
}

/// Devtools that are served. They go on when this is dropped.
pub struct Devtools {
    url: String,
    stop: watch::Sender<bool>,
}

/// Where devtools are served.
#[derive(Debug, Clone)]
pub struct Options {
    address: IpAddr,
    port: u16,
    hosts: Vec<String>,
}

/// Why devtools are not served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error(
        "the devtools cannot listen on {at}; choose another port, or none for any that is free"
    )]
    Address {
        /// The address.
        at: SocketAddr,
        /// The operating system's error.
        source: io::Error,
    },
    /// It is not a store's folder, or its log cannot be read.
    #[error(transparent)]
    Folder(#[from] InspectError),
    /// There is no thread for them.
    #[error("there is no thread for the devtools")]
    Thread(#[source] io::Error),
}

impl Devtools {
    /// Returns the page's URL, with the token that lets it in. Whoever has it can read and change the
    /// store.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends the devtools, and the connections of their pages.
    pub fn stop(self) {
        let _ = self.stop.send(true);
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { address: Ipv4Addr::LOCALHOST.into(), port: 0, hosts: Vec::new() }
    }
}

impl Options {
    /// Listens on this port; 0, the default, is any that is free.
    #[must_use]
    pub fn port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// Listens on this address, and lets in pages of these hosts: names or addresses, without a port.
    /// Others on the network can reach the devtools then. The token is sent unencrypted.
    #[must_use]
    pub fn address(
        self,
        address: IpAddr,
        hosts: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self { address, hosts: hosts.into_iter().map(Into::into).collect(), ..self }
    }
}

impl fmt::Debug for Devtools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Devtools").finish_non_exhaustive()
    }
}

/// An address that a browser can open.
fn shown(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        ip if ip.is_unspecified() => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), address.port()),
        _ => address,
    }
}

fn run(
    listener: TcpListener,
    gate: Arc<Gate>,
    host: Arc<Host>,
    stopped: watch::Receiver<bool>,
    is_open: impl Fn() -> bool,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return tracing::error!(%error, "there are no devtools"),
    };
    let served = runtime.block_on(accept(listener, gate, host, stopped, is_open));
    if let Err(error) = served {
        tracing::error!(%error, "the devtools have ended");
    }
    // A call that runs is cancelled, and not waited for.
    runtime.shutdown_background();
}

async fn accept(
    listener: TcpListener,
    gate: Arc<Gate>,
    host: Arc<Host>,
    mut stopped: watch::Receiver<bool>,
    is_open: impl Fn() -> bool,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let mut tick = interval(Duration::from_secs(1));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            stopped = stopped.wait_for(|stopped| *stopped) => match stopped {
                Ok(_) => return Ok(()),
                // The handle was dropped: they go on as long as the store does.
                Err(_) => break,
            },
            _ = tick.tick() => if !is_open() { return Ok(()) },
            stream = listener.accept() => serve_stream(stream?.0, &gate, &host),
        }
    }
    loop {
        tokio::select! {
            _ = tick.tick() => if !is_open() { return Ok(()) },
            stream = listener.accept() => serve_stream(stream?.0, &gate, &host),
        }
    }
}

fn serve_stream(stream: tokio::net::TcpStream, gate: &Arc<Gate>, host: &Arc<Host>) {
    let _ = stream.set_nodelay(true);
    let (gate, host) = (Arc::clone(gate), Arc::clone(host));
    let service = service_fn(move |request| {
        let (gate, host) = (Arc::clone(&gate), Arc::clone(&host));
        async move { Ok::<_, std::convert::Infallible>(routes::answer(request, &gate, host)) }
    });
    tokio::spawn(async move {
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection of the devtools broke");
        }
    });
}
