//! Opening a store that waits for its backend: for an image, for the first sync.

use std::time::Duration;

use super::open_at_once;
#[cfg(target_family = "wasm")]
use super::opened_files::Files;
#[cfg(target_family = "wasm")]
use super::{lead, prepare, span};
#[cfg(target_family = "wasm")]
use crate::event::SeqNum;
use crate::schema::{Schema, SchemaDef};
use crate::store::builder::Options;
use crate::store::image::Wanted;
use crate::store::{OpenError, Store};
use crate::sync::SyncOptions;

pub(in crate::store) fn open<S: Schema>(
    options: Options,
    schema: &'static SchemaDef,
) -> Result<Store<S>, OpenError> {
    match options.sync.as_ref().and_then(SyncOptions::initial_wait) {
        Some(timeout) => open_and_wait(options, schema, timeout),
        None => open_at_once(options, schema),
    }
}

#[cfg(not(target_family = "wasm"))]
fn open_and_wait<S: Schema>(
    mut options: Options,
    schema: &'static SchemaDef,
    timeout: Duration,
) -> Result<Store<S>, OpenError> {
    let backend = options.sync.as_ref().map(|sync| &sync.backend);
    if let Some(reason) = backend.and_then(|backend| backend.blocked_by_waiting()) {
        return Err(OpenError::WouldBlock { reason });
    }
    options.image = Wanted::of(&options, schema).map(Wanted::fetch);
    let store = open_at_once(options, schema)?;
    if !store.wait_synced(timeout)? {
        warn_not_synced();
    }
    Ok(store)
}

#[cfg(target_family = "wasm")]
fn open_and_wait<S: Schema>(
    _: Options,
    _: &'static SchemaDef,
    _: Duration,
) -> Result<Store<S>, OpenError> {
    let reason = "it is the only thread, on which everything runs here".to_owned();
    Err(OpenError::WouldBlock { reason })
}

pub(in crate::store) fn warn_not_synced() {
    tracing::warn!("the store opens before it is synced: the backend took too long");
}

/// Opens the store with an image, if it wants one and the backend sends it, and does not wait for more.
pub(in crate::store) async fn open_with_image<S: Schema>(
    mut options: Options,
    schema: &'static SchemaDef,
) -> Result<Store<S>, OpenError> {
    if let Some(wanted) = Wanted::of(&options, schema) {
        options.image = Some(wanted.fetch_aside().await);
    }
    open_at_once(options, schema)
}

/// Does the same where only this session can have the files open, and has them open once. Others that look
/// for it wait meanwhile.
#[cfg(target_family = "wasm")]
pub(in crate::store) async fn open_files_with_image<S: Schema>(
    mut options: Options,
    schema: &'static SchemaDef,
) -> Result<Store<S>, OpenError> {
    let ids = prepare(&options, schema)?;
    let files = Files::open(&options)?;
    if files.log.head()? == SeqNum::ROOT
        && let Some(wanted) = Wanted::of_new(&options, schema)
    {
        options.image = Some(wanted.fetch_aside().await);
    }
    span(&options).in_scope(|| lead(options, schema, ids, files))
}
