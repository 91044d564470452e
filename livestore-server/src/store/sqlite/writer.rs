//! Writing: one thread, and one transaction for all jobs that are waiting.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, TransactionBehavior};

use super::super::{Reply, StoreError, StoreId, StoreInfo, StoreLimits, StoredEvent};
use super::file::FORMAT;
use super::reader::{Tail, failed, tail_of};
use super::row;
use super::watch::FileWatch;

/// A transaction takes no more jobs once it has this many, or this many bytes.
const GROUP_JOBS: usize = 4_096;
const GROUP_BYTES: u64 = 16 << 20;

/// Something to write.
pub(super) enum Job {
    Open {
        store: StoreId,
        /// That of a new store, if it is not to be random.
        backend_id: Option<String>,
        reply: Reply<StoreInfo>,
    },
    Append {
        store: StoreId,
        events: Arc<[StoredEvent]>,
        reply: Reply<()>,
    },
    /// Asks whether the writer lives and can write.
    Check {
        reply: Reply<()>,
    },
}

impl Job {
    pub(super) fn fail(self, error: &StoreError) {
        match self {
            Self::Open { reply, .. } => reply(Err(error.clone())),
            Self::Append { reply, .. } | Self::Check { reply } => reply(Err(error.clone())),
        }
    }

    fn size(&self) -> u64 {
        match self {
            Self::Open { .. } | Self::Check { .. } => 0,
            Self::Append { events, .. } => events.iter().map(StoredEvent::size).sum(),
        }
    }
}

/// The result of a job, if the transaction is committed.
enum Outcome {
    Opened(Result<StoreInfo, StoreError>),
    Appended(Result<(), StoreError>),
}

pub(super) struct Writer {
    connection: Connection,
    limits: StoreLimits,
    files: Arc<FileWatch>,
    /// The stores that were opened. Cleared whenever a transaction fails.
    tails: HashMap<StoreId, Tail>,
    health: Health,
}

/// What the last transaction says about the next one.
enum Health {
    Well,
    /// The last transaction failed, and the next one may succeed.
    Failing,
    /// The files are not where they belong; nothing was written since.
    Lost,
    /// What is on the disk is not certain any more, or nobody will find it.
    Broken(StoreError),
}

impl Writer {
    pub(super) fn new(connection: Connection, limits: StoreLimits, files: Arc<FileWatch>) -> Self {
        let limits = StoreLimits { stores: limits.stores.min(row::MAX_STORES), ..limits };
        Self { connection, limits, files, tails: HashMap::new(), health: Health::Well }
    }

    /// Writes and answers a job, and those that wait behind it.
    pub(super) fn turn(&mut self, first: Job, next: impl FnMut() -> Option<Job>) {
        let group = gather(first, next);
        match self.commit(&group) {
            Ok(outcomes) => answer(group, outcomes),
            Err(error) => {
                tracing::error!(%error, pushes = group.len(), "a group of pushes was not stored");
                group.into_iter().for_each(|job| job.fail(&error));
            }
        }
    }

    fn commit(&mut self, group: &[Job]) -> Result<Vec<Outcome>, StoreError> {
        if let Health::Broken(error) = &self.health {
            return Err(error.clone());
        }
        if let Err(error) = self.files.check() {
            self.health = Health::Lost;
            self.tails.clear();
            return Err(error);
        }
        if let Health::Lost = self.health {
            tracing::info!("the files of the data directory are back");
        }
        let outcomes = self.transact(group).and_then(|outcomes| {
            self.files.check()?;
            Ok(outcomes)
        });
        self.health = match &outcomes {
            Ok(_) => Health::Well,
            Err(StoreError::DiskFull | StoreError::Unavailable(_)) => Health::Failing,
            // After a failed fsync the next one may succeed although the data is gone.
            Err(error) => Health::Broken(error.clone()),
        };
        if outcomes.is_err() {
            self.tails.clear();
        }
        outcomes
    }

    fn transact(&mut self, group: &[Job]) -> Result<Vec<Outcome>, StoreError> {
        let Self { connection, limits, tails, .. } = self;
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        if let Health::Failing | Health::Lost = self.health {
            // Only a write shows whether writing works again: this one writes what is there.
            transaction.pragma_update(None, "user_version", FORMAT).map_err(failed)?;
        }
        let outcomes = group
            .iter()
            .map(|job| match job {
                Job::Open { store, backend_id, .. } => {
                    let backend_id = backend_id.as_deref();
                    refusal_or_failure(open(&transaction, tails, *limits, store, backend_id))
                        .map(Outcome::Opened)
                }
                Job::Append { store, events, .. } => {
                    refusal_or_failure(append(&transaction, tails, *limits, store, events))
                        .map(Outcome::Appended)
                }
                Job::Check { .. } => Ok(Outcome::Appended(Ok(()))),
            })
            .collect::<Result<_, _>>()?;
        transaction.commit().map_err(failed)?;
        Ok(outcomes)
    }
}

/// The job, and those that wait behind it.
fn gather(first: Job, mut next: impl FnMut() -> Option<Job>) -> Vec<Job> {
    let mut bytes = first.size();
    let mut group = vec![first];
    while group.len() < GROUP_JOBS && bytes < GROUP_BYTES {
        let Some(job) = next() else { break };
        bytes += job.size();
        group.push(job);
    }
    group
}

fn answer(group: Vec<Job>, outcomes: Vec<Outcome>) {
    for (job, outcome) in group.into_iter().zip(outcomes) {
        match (job, outcome) {
            (Job::Open { reply, .. }, Outcome::Opened(opened)) => reply(opened),
            (Job::Append { reply, .. } | Job::Check { reply }, Outcome::Appended(appended)) => {
                reply(appended);
            }
            (job, _) => job.fail(&StoreError::Failed("an answer to another question".into())),
        }
    }
}

/// Separates a refusal, which concerns one job, from a failure, which ends the transaction.
fn refusal_or_failure<T>(
    result: Result<T, StoreError>,
) -> Result<Result<T, StoreError>, StoreError> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(
            refusal @ (StoreError::Behind { .. }
            | StoreError::TooManyStores { .. }
            | StoreError::StoreFull { .. }
            | StoreError::Unknown),
        ) => Ok(Err(refusal)),
        Err(failure) => Err(failure),
    }
}

fn open(
    connection: &Connection,
    tails: &mut HashMap<StoreId, Tail>,
    limits: StoreLimits,
    store: &StoreId,
    backend_id: Option<&str>,
) -> Result<StoreInfo, StoreError> {
    if let Some(tail) = tails.get(store) {
        return Ok(tail.opened.clone());
    }
    let tail = match tail_of(connection, store)? {
        Some(tail) => tail,
        None => create(connection, limits, store, backend_id)?,
    };
    let opened = tail.opened.clone();
    tails.insert(store.clone(), tail);
    Ok(opened)
}

fn create(
    connection: &Connection,
    limits: StoreLimits,
    store: &StoreId,
    backend_id: Option<&str>,
) -> Result<Tail, StoreError> {
    let count: i64 = connection
        .prepare_cached("SELECT coalesce(max(key), 0) FROM stores")
        .and_then(|mut count| count.query_row((), |row| row.get(0)))
        .map_err(failed)?;
    if count.cast_unsigned() >= limits.stores {
        return Err(StoreError::TooManyStores { limit: limits.stores });
    }
    let backend_id =
        backend_id.map_or_else(super::super::new_backend_id, |id| Ok(id.to_owned()))?;
    let key = count + 1;
    connection
        .prepare_cached("INSERT INTO stores (key, id, backend_id) VALUES (?1, ?2, ?3)")
        .and_then(|mut insert| insert.execute((key, store.as_str(), &backend_id)))
        .map_err(failed)?;
    Ok(Tail { key, opened: StoreInfo { backend_id, head: 0, bytes: 0 } })
}

fn append(
    connection: &Connection,
    tails: &mut HashMap<StoreId, Tail>,
    limits: StoreLimits,
    store: &StoreId,
    events: &[StoredEvent],
) -> Result<(), StoreError> {
    if !tails.contains_key(store)
        && let Some(tail) = tail_of(connection, store)?
    {
        tails.insert(store.clone(), tail);
    }
    let Tail { key, opened } = tails.get_mut(store).ok_or(StoreError::Unknown)?;
    let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(()) };
    if first.event().parent != opened.head {
        return Err(StoreError::Behind { head: opened.head });
    }
    let mut total = opened.bytes;
    if total + events.iter().map(StoredEvent::size).sum::<u64>() > limits.bytes {
        return Err(StoreError::StoreFull { limit: limits.bytes });
    }
    let mut insert = connection.prepare_cached(row::INSERT).map_err(failed)?;
    for stored in events {
        total += stored.size();
        row::insert(&mut insert, *key, stored, total).map_err(failed)?;
    }
    (opened.head, opened.bytes) = (last.event().seq, total);
    Ok(())
}
