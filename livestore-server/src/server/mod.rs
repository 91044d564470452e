//! The server: sockets around [sessions](crate::session).
#![expect(clippy::disallowed_methods, reason = "connections have time limits")]

mod arrivals;
mod builder;
mod credentials;
mod driver;
mod extension;
mod limits;
mod metrics;
mod rate;
mod routes;
mod rpc;
mod silence;
mod socket;
mod trace;
mod upgrade;

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;

pub use builder::Builder;
pub use limits::Limits;

use self::arrivals::{Arrivals, Counting};
pub(crate) use self::extension::Extension;
#[cfg(feature = "schema")]
pub(crate) use self::extension::{Decision, OfferedPush};
pub(crate) use self::metrics::Metrics;
#[cfg(feature = "schema")]
pub(crate) use self::routes::allow_browsers;
use crate::auth::Authenticate;
use crate::hub::Hub;

/// A server that listens.
pub struct Server {
    listener: TcpListener,
    /// Those beyond the server's own.
    routes: Router,
    backend: Arc<Backend>,
}

/// The state that all connections share.
struct Backend {
    hub: Hub,
    auth: Arc<dyn Authenticate>,
    limits: Limits,
    metrics: Arc<Metrics>,
    extension: Option<Arc<dyn Extension>>,
    /// True once the server is stopping.
    drain: watch::Sender<bool>,
}

/// A place among the connections that the server may have; it is taken until the last clone is
/// dropped.
#[derive(Clone)]
struct Seat(#[expect(dead_code, reason = "held, not used")] Arc<Counted>);

struct Counted {
    metrics: Arc<Metrics>,
    since: Instant,
    _permit: OwnedSemaphorePermit,
}

impl Server {
    /// Serves clients until `stop` is ready. Then it answers the pushes that it has received, closes
    /// sockets with 1001, and returns.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let Self { listener, routes, backend } = self;
        let router = routes::router(Arc::clone(&backend)).merge(routes);
        let seats = Arc::new(Semaphore::new(backend.limits.connections));
        let mut stop = pin!(stop);
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => admit(&backend, &router, &seats, stream),
                    Err(error) => pause_after(&error).await,
                },
                () = &mut stop => break,
            }
        }
        drop(listener);
        backend.drain.send_replace(true);
        let all = u32::try_from(backend.limits.connections).unwrap_or(u32::MAX);
        if timeout(backend.limits.drain, seats.acquire_many(all)).await.is_err() {
            tracing::warn!("some connections did not end in time");
        }
    }
}

fn admit(backend: &Arc<Backend>, router: &Router, seats: &Arc<Semaphore>, stream: TcpStream) {
    // A frame that waits for the acknowledgement of the last one would wait for 40 ms.
    let _ = stream.set_nodelay(true);
    let Ok(permit) = Arc::clone(seats).try_acquire_owned() else {
        backend.metrics.refused_total.add(1);
        tokio::spawn(turn_away(stream));
        return;
    };
    let metrics = Arc::clone(&backend.metrics);
    metrics.connections.up();
    metrics.connections_total.add(1);
    let seat = Seat(Arc::new(Counted { metrics, since: Instant::now(), _permit: permit }));
    tokio::spawn(serve_connection(Arc::clone(backend), router.clone(), seat, stream));
}

async fn serve_connection(backend: Arc<Backend>, router: Router, seat: Seat, stream: TcpStream) {
    let arrivals = Arrivals::default();
    let counted = arrivals.clone();
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(seat.clone());
        request.extensions_mut().insert(arrivals.clone());
        TowerToHyperService::new(router.clone()).call(request)
    });
    let mut stream = Box::pin(TimeoutStream::new(stream));
    // The client of a WebSocket is disconnected before that, with a reason.
    stream.as_mut().set_write_timeout_pinned(Some(2 * backend.limits.send));
    let (mut drain, metrics) = (backend.drain.subscribe(), Arc::clone(&backend.metrics));
    let mut serving = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(backend.limits.handshake)
            .max_buf_size(16 << 10)
            .serve_connection(TokioIo::new(Counting::new(stream, counted)), service)
            .with_upgrades()
    );
    let served = tokio::select! {
        served = serving.as_mut() => served,
        () = begun(&mut drain) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    match served {
        Err(error) if error.is_parse() => {
            metrics.refused_total.add(1);
            tracing::info!(%error, "refused a request that is not HTTP, or too long");
        }
        Err(error) => tracing::debug!(%error, "a connection broke"),
        Ok(()) => {}
    }
}

/// Waits until the server is stopping.
async fn begun(drain: &mut watch::Receiver<bool>) {
    // The sender outlives every connection.
    let _ = drain.wait_for(|stopping| *stopping).await;
}

/// Answers that there is no seat left.
async fn turn_away(mut stream: TcpStream) {
    const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\
        content-length: 20\r\n\r\ntoo many connections";
    let _ = timeout(Duration::from_secs(1), async {
        stream.write_all(FULL).await?;
        stream.shutdown().await?;
        // Closing it with unread bytes would discard the answer.
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    })
    .await;
}

/// The cause may be that there are no file descriptors left: some may be closed meanwhile.
async fn pause_after(error: &io::Error) {
    tracing::error!(%error, "cannot accept a connection");
    sleep(Duration::from_millis(100)).await;
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.metrics.disconnected(self.since.elapsed());
    }
}
