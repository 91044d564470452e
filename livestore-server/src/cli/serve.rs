use std::io::{IsTerminal, Write};
use std::sync::Arc;

use livestore_protocol::printable;
use tokio::runtime::Runtime;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::debug_fn;

use super::Failure;
use super::options::{LogFormat, Options};
use crate::auth::Authenticate;
use crate::server::{Limits, Server};
use crate::store::EventStore;

/// Serves until a signal says to stop.
pub(super) fn serve(options: &Options) -> Result<(), Failure> {
    start_log(options)?;
    let auth = options.auth()?;
    let store = options.open_store()?;
    Runtime::new()?.block_on(listen(
        options.listen(),
        Arc::clone(&store),
        auth,
        options.limits(),
    ))?;
    // By now this is the last one, and dropping it waits for the disk.
    drop(store);
    tracing::info!("stopped");
    Ok(())
}

async fn listen(
    address: &str,
    store: Arc<dyn EventStore>,
    auth: Arc<dyn Authenticate>,
    limits: Limits,
) -> Result<(), Failure> {
    let stop = stop_signal()?;
    let server = Server::bind(address, store, auth, limits)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let address = server.local_addr()?;
    // For whoever started it and waits: a pipe would hold the line back.
    let mut out = std::io::stdout();
    writeln!(out, "livestore-server listens on {address}")?;
    out.flush()?;
    server.serve(stop).await;
    Ok(())
}

fn start_log(options: &Options) -> Result<(), Failure> {
    let (filter, format) = options.log();
    let filter = EnvFilter::try_new(filter)?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        // It would say so on standard error, and panic: a log that cannot be written, because its disk
        // is full or its reader has gone, stops no server.
        .log_internal_errors(false);
    match format {
        LogFormat::Text => log.fmt_fields(printable_fields()).init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
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
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
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
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
        tracing::info!("stopping");
    })
}
