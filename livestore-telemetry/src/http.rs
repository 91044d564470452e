//! An HTTP client for a few requests a minute: each has its own connection, and there is no pool.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use http::header::HOST;
use http::uri::Scheme;
use http::{HeaderValue, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// The most bytes of an answer.
const MAX_ANSWER: usize = 1 << 20;

/// The client. It has a thread of its own, because those who call it have no runtime.
#[derive(Debug)]
pub(crate) struct Client {
    /// There until it is dropped.
    runtime: Option<Runtime>,
    timeout: Duration,
    /// Whether the last request failed.
    is_failing: AtomicBool,
}

impl Client {
    pub(crate) fn start(timeout: Duration) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("livestore-otlp")
            .enable_all()
            .build()?;
        Ok(Self { runtime: Some(runtime), timeout, is_failing: AtomicBool::new(false) })
    }

    /// Says so when requests begin to fail, and when they succeed again.
    fn note(&self, result: &Result<Response<Bytes>, HttpError>, to: &Uri) {
        let reason = match result {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("the collector answers {}", answer.status())),
            Err(error) => Some(error.to_string()),
        };
        match (reason, self.is_failing.load(Ordering::Relaxed)) {
            (Some(reason), false) => {
                self.is_failing.store(true, Ordering::Relaxed);
                tracing::warn!(%to, reason, "spans cannot be exported, and are dropped");
            }
            (None, true) => {
                self.is_failing.store(false, Ordering::Relaxed);
                tracing::info!(%to, "spans are exported again");
            }
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let Some(runtime) = &self.runtime else { return Err("the exporter has ended".into()) };
        let to = request.uri().clone();
        let limit = self.timeout;
        let sending = runtime.spawn(async move {
            match timeout(limit, send(request)).await {
                Ok(result) => result,
                Err(_) => Err(format!("no answer within {limit:?}").into()),
            }
        });
        let result = sending.await.unwrap_or_else(|error| Err(error.into()));
        self.note(&result, &to);
        result
    }
}

impl Drop for Client {
    /// It may be dropped within another runtime, where nothing may block.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn send(request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let uri = request.uri();
    let host = uri.host().ok_or("the endpoint has no host")?;
    let is_encrypted = uri.scheme() == Some(&Scheme::HTTPS);
    let port = uri.port_u16().unwrap_or(if is_encrypted { 443 } else { 80 });
    // In a URL, an address of IPv6 is in brackets.
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let stream = TcpStream::connect((host.as_str(), port)).await?;
    if !is_encrypted {
        return exchange(stream, request).await;
    }
    let connector = TlsConnector::from(tls_config()?);
    exchange(connector.connect(ServerName::try_from(host)?, stream).await?, request).await
}

async fn exchange<S>(stream: S, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut head, body) = request.into_parts();
    if let Some(authority) = head.uri.authority() {
        // What is before the last `@` is no part of the host.
        let host = authority.as_str().rsplit('@').next().unwrap_or_default();
        head.headers.insert(HOST, HeaderValue::from_str(host)?);
    }
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    head.uri = path.parse()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // If it breaks, the request fails, too.
    tokio::spawn(connection);
    let answer = sender.send_request(Request::from_parts(head, Full::new(body))).await?;
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, MAX_ANSWER).collect().await?.to_bytes();
    Ok(Response::from_parts(head, body))
}

/// Trusts what the operating system trusts, read once.
fn tls_config() -> io::Result<Arc<ClientConfig>> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(Arc::clone(config));
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(io::Error::other("the system has no root certificates"));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::clone(CONFIG.get_or_init(|| Arc::new(config))))
}
