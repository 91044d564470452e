use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use livestore_protocol::printable;
use tokio::runtime::Runtime;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::debug_fn;
use tracing_subscriber::prelude::*;

use super::Failure;
use super::options::{LogFormat, Options};
use super::otlp::Export;
use crate::server::{Builder, Server};

/// A signal that says to stop.
pub(crate) type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A server that listens.
pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
    /// Serves until the signal.
    pub(crate) serving: Pin<Box<dyn Future<Output = ()>>>,
}

/// Listens with a server that knows no schema.
pub(super) async fn listen(builder: Builder, address: String, stop: Stop) -> io::Result<Listening> {
    let server = builder.bind(&address).await?;
    Ok(Listening { address: server.local_addr()?, serving: Box::pin(server.serve(stop)) })
}

/// Serves until a signal says to stop.
pub(super) fn serve<L: Future<Output = io::Result<Listening>>>(
    options: &Options,
    listen: impl FnOnce(Builder, String, Stop) -> L,
) -> Result<(), Failure> {
    let end_export = start_log(options)?;
    let auth = options.auth()?;
    let store = options.open_store()?;
    let builder = Server::builder(Arc::clone(&store)).auth(auth).limits(options.limits());
    Runtime::new()?.block_on(run(options.listen(), builder, listen))?;
    // By now this is the last one, and dropping it waits for the disk.
    drop(store);
    tracing::info!("stopped");
    end_export();
    Ok(())
}

async fn run<L: Future<Output = io::Result<Listening>>>(
    address: &str,
    builder: Builder,
    listen: impl FnOnce(Builder, String, Stop) -> L,
) -> Result<(), Failure> {
    let stop = Box::pin(stop_signal()?);
    let listening = listen(builder, address.to_owned(), stop).await;
    let Listening { address, serving } =
        listening.map_err(|error| format!("cannot listen on {address}: {error}"))?;
    // For whoever started it and waits: a pipe would hold the line back.
    let mut out = io::stdout();
    writeln!(out, "livestore-server listens on {address}")?;
    out.flush()?;
    serving.await;
    Ok(())
}

/// Starts the log and the export of spans; returns what ends the export.
fn start_log(options: &Options) -> Result<impl FnOnce() + use<>, Failure> {
    let (filter, format) = options.log();
    let filter = EnvFilter::try_new(filter)?;
    let log = tracing_subscriber::fmt::layer()
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        // It would say so on standard error, and panic: a log that cannot be written, because its disk
        // is full or its reader has gone, stops no server.
        .log_internal_errors(false);
    let log = match format {
        LogFormat::Text => log.fmt_fields(printable_fields()).with_filter(filter).boxed(),
        LogFormat::Json => log.json().with_filter(filter).boxed(),
    };
    let (spans, end_export) = Export::start(options.otlp())?.split();
    tracing_subscriber::registry().with(log).with(spans).init();
    Ok(end_export)
}

/// Writes fields as text does, with everything escaped that comes from outside: the id of a store can
/// be any text, and must not control a terminal, or look like another line of the log.
fn printable_fields() -> impl for<'w> FormatFields<'w> {
    debug_fn(|writer, field, value| {
        let value = printable(&format!("{value:?}"));
        match field.name() {
            "message" => write!(writer, "{value}"),
            name => write!(writer, "{name}={value}"),
        }
    })
    .delimited(" ")
}

#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
    })
}

#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
        tracing::info!("stopping");
    })
}
