//! `livestore sync`

use std::time::{Duration, Instant};

use livestore::Store;
use livestore::store::Untyped;
use livestore::sync::{NetworkStatus, SyncOptions, SyncStatus};
use livestore_sync::{Http, WebSocket};
use serde_json::json;

use crate::args::Sync;
use crate::exit::{Exit, Failure, Result};
use crate::output::{Output, counted};

/// How long it waits before it looks whether there is still hope.
const STEP: Duration = Duration::from_millis(200);

pub(super) fn run(out: &mut Output, args: &Sync) -> Result {
    let timeout = Duration::try_from_secs_f64(args.timeout)
        .map_err(|_| Failure::usage(format!("{} is not a number of seconds", args.timeout)))?;
    let (directory, store_id) = args.place.target(None)?;
    let exists = livestore::inspect::folder_of(&directory, &store_id).join("eventlog.db").exists();
    if !exists && !args.create {
        let message = format!(
            "there is no store {store_id:?} in {}; `--create` makes one, and gets it from the backend",
            directory.display()
        );
        return Err(Failure::new(Exit::NotFound, message));
    }
    let builder = Store::<Untyped>::builder(&*store_id).directory(&directory);
    let store = builder.sync(backend(args)).open()?;
    let before = store.head().map_err(Failure::failed)?;
    if args.watch {
        return watch(out, &store);
    }
    let started = Instant::now();
    while !store.wait_synced(STEP).map_err(Failure::failed)? {
        let status = status(&store)?;
        if let NetworkStatus::Stopped(reason) = &status.network {
            return Err(Failure::failed(format!("sync has stopped: {reason}")));
        }
        if started.elapsed() >= timeout {
            return Err(Failure::failed(format!("not synced after {} s: {status}", args.timeout)));
        }
    }
    let status = status(&store)?;
    store.close().map_err(Failure::failed)?;
    if out.json {
        return out.json(&as_json(&status));
    }
    let new = counted(status.local_head.global.saturating_sub(before.global), "new event");
    out.line(format!("{store_id} is synced up to {}, with {new}", status.upstream_head))?;
    refused(out, &status)
}

fn backend(args: &Sync) -> SyncOptions {
    let is_http = args.url.starts_with("http:") || args.url.starts_with("https:");
    let options = match is_http {
        true => SyncOptions::new(Http::new(&*args.url)),
        false => SyncOptions::new(WebSocket::new(&*args.url)),
    };
    match &args.payload {
        Some(payload) => options.payload(&**payload),
        None => options,
    }
}

/// Shows each change of the status.
fn watch(out: &mut Output, store: &Store<Untyped>) -> Result {
    let mut last = None;
    loop {
        let status = status(store)?;
        if last.as_ref() != Some(&status) {
            if out.json {
                out.json(&as_json(&status))?;
            } else {
                out.line(format!("{} {status}", status.local_head))?;
            }
            out.flush()?;
            last = Some(status);
        }
        std::thread::sleep(STEP);
    }
}

fn status(store: &Store<Untyped>) -> Result<SyncStatus> {
    store.sync_status().map_err(Failure::failed)
}

fn as_json(status: &SyncStatus) -> serde_json::Value {
    json!({
        "localHead": status.local_head.to_string(),
        "upstreamHead": status.upstream_head.to_string(),
        "pending": status.pending,
        "refused": status.refused,
        "network": status.network.to_string(),
        "isSynced": status.is_synced(),
    })
}

fn refused(out: &mut Output, status: &SyncStatus) -> Result {
    match status.refused {
        0 => Ok(()),
        count => out.line(format!("{} refused by the backend", counted(count as u64, "event"))),
    }
}
