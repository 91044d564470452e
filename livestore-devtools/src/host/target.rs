//! What the host needs of a store, without its types.

use std::ops::ControlFlow;
use std::sync::Arc;

use livestore::event::{EncodedEvent, EventDef};
use livestore::live::Inspection;
use livestore::prelude::*;
use livestore::state::Quarantined;
use livestore::state::StateView;
use livestore::store::WeakStore;
use livestore::sync::{NetworkStatus, SyncStatus};
use livestore::tools::{Activity, NamedEvent, Observation, RowChange, SessionInfo, Timeline};
use std::time::Duration;

use super::Refused;
use crate::protocol::{Ability, EventInfo, FieldInfo, FolderStatus, RefusalCode};

/// A store that is looked at.
pub(crate) trait Target: Send + Sync {
    /// Its ids and names.
    fn identity(&self) -> Result<Identity, Refused>;
    /// The events of its schema.
    fn events(&self) -> Result<Vec<EventInfo>, Refused>;
    /// The names of the tables of client documents.
    fn documents(&self) -> Vec<&'static str>;
    fn head(&self) -> Result<SeqNum, Refused>;
    fn status(&self) -> Result<Standing, Refused>;
    fn quarantined(&self) -> Result<Vec<Quarantined>, Refused>;
    fn state_bytes(&self) -> Result<u64, Refused>;

    fn read(&self, after: SeqNum, limit: usize) -> Result<Vec<EncodedEvent>, Refused>;
    fn count(&self, after: SeqNum) -> Result<u64, Refused>;
    fn skip(&self, after: SeqNum, count: usize) -> Result<Option<SeqNum>, Refused>;
    /// The event behind which the last `count` events up to `up_to` come.
    fn skip_back(&self, up_to: SeqNum, count: usize) -> Result<Option<SeqNum>, Refused>;

    fn state(&self) -> Result<StateView, Refused>;
    fn state_at(&self, seq: SeqNum) -> Result<StateView, Refused>;
    #[cfg(not(target_family = "wasm"))]
    fn prepare_past(&self) -> Result<(), Refused>;
    fn changes(&self, seq: SeqNum) -> Result<Option<Vec<RowChange>>, Refused>;
    fn trace(&self, table: &str, each: TraceFn<'_>) -> Result<(), Refused>;

    /// A store in memory that has the events up to there.
    fn fork(&self, at: SeqNum) -> Result<Box<dyn Target>, Refused>;
    fn commit(&self, events: &[NamedEvent]) -> Result<Vec<SeqNum>, Refused>;
    fn inspect(&self) -> Result<Inspection, Refused>;
    fn pause_sync(&self, pause: bool) -> Result<(), Refused>;
    fn reconnect(&self) -> Result<(), Refused>;
    fn drop_connection(&self) -> Result<(), Refused>;
    fn delay(&self, delay: Duration) -> Result<(), Refused>;
    /// `None` if it does nothing that could be observed.
    fn observe(&self, callback: OnActivity) -> Result<Option<Observation>, Refused>;
}

/// Called with each change of a table's rows, and the event that made it.
pub(crate) type TraceFn<'a> =
    &'a mut dyn FnMut(&EncodedEvent, Option<&RowChange>) -> ControlFlow<()>;

/// Called with what a store does.
pub(crate) type OnActivity = Arc<dyn Fn(&Activity) + Send + Sync>;

/// Heads, connection and sessions.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) local_head: SeqNum,
    pub(crate) upstream_head: SeqNum,
    pub(crate) pending: u64,
    pub(crate) refused: u64,
    pub(crate) network: NetworkStatus,
    /// In milliseconds since 1970.
    pub(crate) next_attempt: Option<i64>,
    /// The sessions of the client, the one that leads first.
    pub(crate) sessions: Vec<SessionInfo>,
    /// `None` if the host has the store open.
    pub(crate) folder: Option<FolderStatus>,
}

impl Standing {
    /// That of a store that is open.
    pub(super) fn of(status: SyncStatus, sessions: Vec<SessionInfo>) -> Self {
        Self {
            local_head: status.local_head,
            upstream_head: status.upstream_head,
            pending: status.pending as u64,
            refused: status.refused as u64,
            network: status.network,
            next_attempt: status.next_attempt.map(|at| at.as_millis()),
            sessions,
            folder: None,
        }
    }
}

/// A store's ids and names, and what the host can do with it.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) schema: String,
    pub(crate) store_id: String,
    pub(crate) client_id: String,
    pub(crate) session_id: String,
    pub(crate) devtools_session_id: String,
    pub(crate) can: Vec<Ability>,
}

/// A store that the app has open. It is not kept open for that.
pub(crate) struct OpenStore<S> {
    store: WeakStore<S>,
    timeline: Timeline,
    /// A fork is kept by nobody else.
    _own: Option<Store<S>>,
}

impl<S: Schema> OpenStore<S> {
    pub(crate) fn new(store: &Store<S>) -> Self {
        Self { store: store.downgrade(), timeline: store.tools().timeline(), _own: None }
    }

    fn own(store: Store<S>) -> Self {
        Self { _own: Some(store.clone()), ..Self::new(&store) }
    }

    fn store(&self) -> Result<Store<S>, Refused> {
        let closed = || Refused::new(RefusalCode::Store, "the app has closed the store");
        self.store.upgrade().ok_or_else(closed)
    }
}

impl<S: Schema> Target for OpenStore<S> {
    fn identity(&self) -> Result<Identity, Refused> {
        let store = self.store()?;
        let mut can = vec![Ability::TimeTravel, Ability::Commit, Ability::Live];
        can.extend((store.network_status()? != NetworkStatus::None).then_some(Ability::Sync));
        Ok(Identity {
            schema: S::NAME.to_owned(),
            store_id: store.store_id().to_owned(),
            client_id: store.client_id().to_owned(),
            session_id: store.session_id().to_owned(),
            devtools_session_id: store.tools().session_id().to_string(),
            can,
        })
    }

    fn events(&self) -> Result<Vec<EventInfo>, Refused> {
        Ok(S::def().events().map(event_info).collect())
    }

    fn documents(&self) -> Vec<&'static str> {
        S::def().document_tables().map(|table| table.name()).collect()
    }

    fn head(&self) -> Result<SeqNum, Refused> {
        Ok(self.store()?.head()?)
    }

    fn status(&self) -> Result<Standing, Refused> {
        let store = self.store()?;
        Ok(Standing::of(store.sync_status()?, store.tools().sessions()?))
    }

    fn quarantined(&self) -> Result<Vec<Quarantined>, Refused> {
        Ok(self.store()?.quarantined()?)
    }

    fn state_bytes(&self) -> Result<u64, Refused> {
        Ok(self.store()?.tools().state_bytes()?)
    }

    fn read(&self, after: SeqNum, limit: usize) -> Result<Vec<EncodedEvent>, Refused> {
        let events = self.store()?.events().after(after).into_iter();
        Ok(events.take(limit).collect::<Result<_, _>>()?)
    }

    fn count(&self, after: SeqNum) -> Result<u64, Refused> {
        Ok(self.store()?.tools().count_events(after)?)
    }

    fn skip(&self, after: SeqNum, count: usize) -> Result<Option<SeqNum>, Refused> {
        Ok(self.store()?.tools().skip_events(after, count)?)
    }

    fn skip_back(&self, up_to: SeqNum, count: usize) -> Result<Option<SeqNum>, Refused> {
        Ok(self.store()?.tools().skip_events_back(up_to, count)?)
    }

    fn state(&self) -> Result<StateView, Refused> {
        Ok(self.store()?.tools().state()?)
    }

    fn state_at(&self, seq: SeqNum) -> Result<StateView, Refused> {
        Ok(self.timeline.at(seq)?)
    }

    #[cfg(not(target_family = "wasm"))]
    fn prepare_past(&self) -> Result<(), Refused> {
        Ok(self.timeline.prepare(|_| ControlFlow::Continue(()))?)
    }

    fn changes(&self, seq: SeqNum) -> Result<Option<Vec<RowChange>>, Refused> {
        Ok(self.timeline.changes(seq)?)
    }

    fn trace(&self, table: &str, each: TraceFn<'_>) -> Result<(), Refused> {
        Ok(self.timeline.trace(table, each)?)
    }

    fn fork(&self, at: SeqNum) -> Result<Box<dyn Target>, Refused> {
        Ok(Box::new(Self::own(self.store()?.fork(at)?)))
    }

    fn commit(&self, events: &[NamedEvent]) -> Result<Vec<SeqNum>, Refused> {
        Ok(self.store()?.tools().commit(events)?.as_slice().to_vec())
    }

    fn inspect(&self) -> Result<Inspection, Refused> {
        Ok(self.store()?.inspect()?)
    }

    fn pause_sync(&self, pause: bool) -> Result<(), Refused> {
        let store = self.store()?;
        if pause {
            store.pause_sync()
        } else {
            store.resume_sync()
        }
        Ok(())
    }

    fn reconnect(&self) -> Result<(), Refused> {
        self.store()?.reconnect_now();
        Ok(())
    }

    fn drop_connection(&self) -> Result<(), Refused> {
        self.store()?.tools().drop_connection();
        Ok(())
    }

    fn delay(&self, delay: Duration) -> Result<(), Refused> {
        self.store()?.tools().delay_messages(delay);
        Ok(())
    }

    fn observe(&self, callback: OnActivity) -> Result<Option<Observation>, Refused> {
        Ok(Some(self.store()?.tools().observe(move |activity| callback(activity))))
    }
}

fn event_info(event: &EventDef) -> EventInfo {
    EventInfo {
        name: event.name().to_owned(),
        fields: fields(event.fields(), event.shape()),
        client_only: event.is_client_only(),
        deprecated: event.deprecation().map(str::to_owned),
    }
}

/// The types of an event's fields, which `livestore.lock` has as `name: type (marks)`.
pub(super) fn fields(names: &[&str], shape: &str) -> Vec<FieldInfo> {
    let types = shape.lines().filter_map(|line| line.split_once(": "));
    let types: Vec<_> = types.map(|(name, kind)| (name.trim(), kind.trim())).collect();
    let kind_of =
        |name: &str| types.iter().find(|(other, _)| *other == name).map(|(_, kind)| *kind);
    let field = |name: &&str| FieldInfo {
        name: (*name).to_owned(),
        kind: kind_of(name).unwrap_or_default().to_owned(),
    };
    names.iter().map(field).collect()
}
