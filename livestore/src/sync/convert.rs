//! Conversion between the events of a log and those of the protocol.
//!
//! LiveStore's protocol does not say which events were one commit, but every client must come to
//! the same state. So the session id of an event that continues a commit travels with a mark. Other
//! implementations see it as the id of one more session.

use std::sync::Arc;

use livestore_protocol::SyncEvent;

use crate::event::{EncodedEvent, SeqNum, is_session_id};

/// Behind the session id of an event that belongs to the same commit as the one before it.
const CONTINUES: char = '+';

impl EncodedEvent {
    /// The event for other clients. `continues`: whether it belongs to the commit of the event
    /// before it, as they see it.
    pub(crate) fn to_sync_event(&self, continues: bool) -> SyncEvent {
        let session_id = match continues {
            true => format!("{}{CONTINUES}", self.session_id).into(),
            false => Arc::clone(&self.session_id),
        };
        SyncEvent {
            seq: self.seq.global,
            parent: self.parent.global,
            name: self.name.clone().into_owned(),
            args: self.args.clone(),
            client_id: Arc::clone(&self.client_id),
            session_id,
            metadata: None,
        }
    }
}

impl From<&EncodedEvent> for SyncEvent {
    fn from(event: &EncodedEvent) -> Self {
        event.to_sync_event(event.continues)
    }
}

/// A confirmed event of the log. The hash of the schema that it was committed under is unknown.
impl From<SyncEvent> for EncodedEvent {
    fn from(event: SyncEvent) -> Self {
        let marked = event.session_id.strip_suffix(CONTINUES);
        let (session_id, continues) = match marked.filter(|id| is_session_id(id)) {
            Some(session_id) => (session_id.into(), true),
            None => (event.session_id, false),
        };
        Self {
            seq: SeqNum::new(event.seq),
            parent: SeqNum::new(event.parent),
            name: event.name.into(),
            args: event.args,
            client_id: event.client_id,
            session_id,
            schema_hash: 0,
            sync_metadata: Some(event.metadata.unwrap_or_else(|| "null".to_owned())),
            continues,
            command: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(continues: bool) -> EncodedEvent {
        EncodedEvent {
            seq: SeqNum::new(2),
            parent: SeqNum::new(1),
            name: "v1.E".into(),
            args: "{}".into(),
            client_id: "c".into(),
            session_id: "static~V1StGXR8_Z5jdHi6B-myT".into(),
            schema_hash: 0,
            sync_metadata: Some("null".into()),
            continues,
            command: None,
        }
    }

    #[test]
    fn a_commit_is_one_when_it_arrives() {
        for continues in [false, true] {
            let there = event(continues).to_sync_event(continues);
            assert_eq!(&*there.session_id == "static~V1StGXR8_Z5jdHi6B-myT", !continues);
            assert_eq!(EncodedEvent::from(there), event(continues));
        }
    }

    #[test]
    fn a_session_id_of_another_implementation_is_left_as_it_is() {
        let there = SyncEvent { session_id: "tab+".into(), ..event(false).to_sync_event(false) };
        let here = EncodedEvent::from(there);
        assert_eq!((&*here.session_id, here.continues), ("tab+", false));
    }
}
