//! A store's folder, looked at without the app's types: its log, and the state that the app shows which has
//! it open, or otherwise that of its last snapshot.

use std::path::Path;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use livestore::ErrorChain;
use livestore::event::EncodedEvent;
use livestore::inspect::{Folder, InspectError, Running};
use livestore::live::Inspection;
use livestore::prelude::*;
use livestore::state::{Quarantined, StateView};
use livestore::sync::NetworkStatus;
use livestore::tools::{NamedEvent, Observation, RowChange};

use super::target::{Identity, OnActivity, Standing, Target, TraceFn, fields};
use super::{Refused, lock};
use crate::protocol::{EventInfo, FolderStatus, RefusalCode};

/// A folder, which nobody here writes.
pub(super) struct ClosedStore {
    folder: Mutex<Folder>,
    /// What the state that was read last says of events that could not be applied.
    quarantined: Mutex<Option<Vec<Quarantined>>>,
}

impl ClosedStore {
    pub(super) fn open(path: &Path) -> Result<Self, InspectError> {
        Ok(Self { folder: Mutex::new(Folder::open(path)?), quarantined: Mutex::default() })
    }

    fn folder(&self) -> MutexGuard<'_, Folder> {
        lock(&self.folder)
    }
}

/// What needs the app's types, or the app itself.
fn unsupported<T>(what: &str) -> Result<T, Refused> {
    let message = format!("{what}: open the devtools from the app, which knows the types");
    Err(Refused::new(RefusalCode::Unsupported, message))
}

impl From<InspectError> for Refused {
    fn from(error: InspectError) -> Self {
        Self::new(RefusalCode::Store, ErrorChain::new(&error).to_string())
    }
}

impl Target for ClosedStore {
    fn identity(&self) -> Result<Identity, Refused> {
        let info = self.folder().info()?;
        Ok(Identity {
            schema: String::new(),
            store_id: info.store_id,
            client_id: info.client_id,
            session_id: String::new(),
            devtools_session_id: String::new(),
            can: Vec::new(),
        })
    }

    fn events(&self) -> Result<Vec<EventInfo>, Refused> {
        let shapes = self.folder().shapes()?;
        let event = |(name, shape): (String, String)| {
            let names = shape.lines().filter_map(|line| line.split_once(": "));
            let names: Vec<_> = names.map(|(name, _)| name.trim()).collect();
            EventInfo { fields: fields(&names, &shape), name, client_only: false, deprecated: None }
        };
        Ok(shapes.into_iter().map(event).collect())
    }

    fn documents(&self) -> Vec<&'static str> {
        Vec::new()
    }

    fn head(&self) -> Result<SeqNum, Refused> {
        Ok(self.folder().head()?)
    }

    fn status(&self) -> Result<Standing, Refused> {
        let folder = self.folder();
        if let Some(Running { status, sessions, .. }) = folder.running()? {
            let state_head = Some(status.local_head.to_string());
            let shown = FolderStatus { is_open: true, is_live: true, state_head };
            return Ok(Standing { folder: Some(shown), ..Standing::of(status, sessions) });
        }
        let (local_head, upstream_head) = (folder.head()?, folder.confirmed_head()?);
        let pending = folder.count(upstream_head)?;
        Ok(Standing {
            local_head,
            upstream_head,
            pending,
            refused: 0,
            network: NetworkStatus::None,
            next_attempt: None,
            sessions: Vec::new(),
            folder: Some(FolderStatus {
                is_open: folder.is_open()?,
                is_live: false,
                state_head: folder.snapshot_info().ok().map(|snapshot| snapshot.head.to_string()),
            }),
        })
    }

    fn quarantined(&self) -> Result<Vec<Quarantined>, Refused> {
        let last = lock(&self.quarantined).clone();
        Ok(match last {
            Some(last) => last,
            // Without a state nobody has said what is quarantined.
            None => {
                let read = self.state().ok();
                read.map_or_else(|| Ok(Vec::new()), |state| state.quarantined())?
            }
        })
    }

    fn state_bytes(&self) -> Result<u64, Refused> {
        Ok(self.state()?.to_bytes()?.len() as u64)
    }

    fn read(&self, after: SeqNum, limit: usize) -> Result<Vec<EncodedEvent>, Refused> {
        let events = self.folder().events().after(after);
        Ok(events.take(limit).collect::<Result<_, _>>()?)
    }

    fn count(&self, after: SeqNum) -> Result<u64, Refused> {
        Ok(self.folder().count(after)?)
    }

    fn skip(&self, after: SeqNum, count: usize) -> Result<Option<SeqNum>, Refused> {
        Ok(self.folder().skip(after, count)?)
    }

    fn skip_back(&self, up_to: SeqNum, count: usize) -> Result<Option<SeqNum>, Refused> {
        Ok(self.folder().skip_back(up_to, count)?)
    }

    fn state(&self) -> Result<StateView, Refused> {
        let state = self.folder().state()?;
        *lock(&self.quarantined) = Some(state.quarantined()?);
        Ok(state)
    }

    fn state_at(&self, _: SeqNum) -> Result<StateView, Refused> {
        unsupported("the past cannot be shown")
    }

    fn prepare_past(&self) -> Result<(), Refused> {
        unsupported("the past cannot be shown")
    }

    fn changes(&self, _: SeqNum) -> Result<Option<Vec<RowChange>>, Refused> {
        Ok(None)
    }

    fn trace(&self, _: &str, _: TraceFn<'_>) -> Result<(), Refused> {
        unsupported("a row's history cannot be shown")
    }

    fn fork(&self, _: SeqNum) -> Result<Box<dyn Target>, Refused> {
        unsupported("the store cannot be forked")
    }

    fn commit(&self, _: &[NamedEvent]) -> Result<Vec<SeqNum>, Refused> {
        unsupported("nothing can be committed")
    }

    fn inspect(&self) -> Result<Inspection, Refused> {
        unsupported("there are no live queries")
    }

    fn pause_sync(&self, _: bool) -> Result<(), Refused> {
        unsupported("there is no connection")
    }

    fn reconnect(&self) -> Result<(), Refused> {
        unsupported("there is no connection")
    }

    fn drop_connection(&self) -> Result<(), Refused> {
        unsupported("there is no connection")
    }

    fn delay(&self, _: Duration) -> Result<(), Refused> {
        unsupported("there is no connection")
    }

    fn observe(&self, _: OnActivity) -> Result<Option<Observation>, Refused> {
        Ok(None)
    }
}
