//! What the host needs of a store, without its types.

use std::ops::ControlFlow;
use std::sync::Arc;

use livestore::event::{EncodedEvent, EventDef};
use livestore::live::Inspection;
use livestore::prelude::*;
use livestore::state::Quarantined;
use livestore::state::StateView;
use livestore::store::WeakStore;
use livestore::sync::SyncStatus;
use livestore::tools::{Activity, NamedEvent, Observation, RowChange, SessionRole, Timeline};
use std::time::Duration;

use super::Refused;
use crate::protocol::RefusalCode;

/// A store that is looked at.
pub(crate) trait Target: Send + Sync {
    /// Its ids and names.
    fn identity(&self) -> Result<Identity, Refused>;
    /// The events of its schema.
    fn events(&self) -> Vec<EventDef>;
    /// The names of the tables of client documents.
    fn documents(&self) -> Vec<&'static str>;
    fn head(&self) -> Result<SeqNum, Refused>;
    fn status(&self) -> Result<SyncStatus, Refused>;
    fn role(&self) -> Result<SessionRole, Refused>;
    fn quarantined(&self) -> Result<Vec<Quarantined>, Refused>;
    fn state_bytes(&self) -> Result<u64, Refused>;

    fn read(&self, after: SeqNum, limit: usize) -> Result<Vec<EncodedEvent>, Refused>;
    fn count(&self, after: SeqNum) -> Result<u64, Refused>;
    fn skip(&self, after: SeqNum, count: usize) -> Result<Option<SeqNum>, Refused>;

    fn state(&self) -> Result<StateView, Refused>;
    fn state_at(&self, seq: SeqNum) -> Result<StateView, Refused>;
    #[cfg(not(target_family = "wasm"))]
    fn prepare_past(&self, progress: &mut dyn FnMut() -> ControlFlow<()>) -> Result<(), Refused>;
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
    fn observe(
        &self,
        callback: Arc<dyn Fn(&Activity) + Send + Sync>,
    ) -> Result<Observation, Refused>;
}

/// Called with each change of a table's rows, and the event that made it.
pub(crate) type TraceFn<'a> =
    &'a mut dyn FnMut(&EncodedEvent, Option<&RowChange>) -> ControlFlow<()>;

/// A store's ids and names.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) schema: String,
    pub(crate) store_id: String,
    pub(crate) client_id: String,
    pub(crate) session_id: String,
    pub(crate) devtools_session_id: String,
    pub(crate) syncs: bool,
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
        Ok(Identity {
            schema: S::NAME.to_owned(),
            store_id: store.store_id().to_owned(),
            client_id: store.client_id().to_owned(),
            session_id: store.session_id().to_owned(),
            devtools_session_id: store.tools().session_id().to_string(),
            syncs: store.network_status()? != livestore::sync::NetworkStatus::None,
        })
    }

    fn events(&self) -> Vec<EventDef> {
        S::def().events().copied().collect()
    }

    fn documents(&self) -> Vec<&'static str> {
        S::def().document_tables().map(|table| table.name()).collect()
    }

    fn head(&self) -> Result<SeqNum, Refused> {
        Ok(self.store()?.head()?)
    }

    fn status(&self) -> Result<SyncStatus, Refused> {
        Ok(self.store()?.sync_status()?)
    }

    fn role(&self) -> Result<SessionRole, Refused> {
        Ok(self.store()?.tools().role()?)
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

    fn state(&self) -> Result<StateView, Refused> {
        Ok(self.store()?.tools().state()?)
    }

    fn state_at(&self, seq: SeqNum) -> Result<StateView, Refused> {
        Ok(self.timeline.at(seq)?)
    }

    #[cfg(not(target_family = "wasm"))]
    fn prepare_past(&self, progress: &mut dyn FnMut() -> ControlFlow<()>) -> Result<(), Refused> {
        Ok(self.timeline.prepare(|_| progress())?)
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

    fn observe(
        &self,
        callback: Arc<dyn Fn(&Activity) + Send + Sync>,
    ) -> Result<Observation, Refused> {
        Ok(self.store()?.tools().observe(move |activity| callback(activity)))
    }
}
