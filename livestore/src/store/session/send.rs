//! What a leader sends to a session that cannot read its files.

use crate::event::{EncodedEvent, SeqNum};
use crate::eventlog::{EventlogError, PAGE, before};
use crate::schema::SchemaDef;
use crate::session::{Bytes, FromLeader, Reads, StateImage};
use crate::store::Core;

impl Core {
    /// The messages before the welcome of a session that reads in this way.
    pub(super) fn opening(
        &self,
        reads: &Reads,
        schema: &'static SchemaDef,
    ) -> Result<Vec<FromLeader>, EventlogError> {
        let confirmed = self.confirmed_head();
        let mut messages = Vec::new();
        let after = match reads {
            Reads::Files => return Ok(messages),
            Reads::Behind { head, history_id } if *history_id == self.history_id()? => *head,
            Reads::Behind { .. } => SeqNum::ROOT,
            Reads::Everything => match self.image(schema, confirmed)? {
                Some(image) => {
                    // With the last event of the snapshot: the session has to know it if none comes behind.
                    let last = before(image.head);
                    messages.push(FromLeader::Snapshot(image));
                    last
                }
                None => SeqNum::ROOT,
            },
        };
        self.pages(after, confirmed, |page| messages.push(FromLeader::Events(page)))?;
        Ok(messages)
    }

    /// The messages that have all confirmed events up to `head`. The last one has none.
    pub(super) fn history(&self, head: SeqNum) -> Result<Vec<FromLeader>, EventlogError> {
        let mut messages = Vec::new();
        self.pages(SeqNum::ROOT, head, |page| messages.push(FromLeader::Events(page)))?;
        messages.push(FromLeader::Events(Vec::new()));
        Ok(messages)
    }

    fn pages(
        &self,
        after: SeqNum,
        to: SeqNum,
        mut visit: impl FnMut(Vec<EncodedEvent>),
    ) -> Result<(), EventlogError> {
        let mut pages = self.log.pages(after, to).of(PAGE);
        loop {
            let page = pages.next_page()?;
            if page.is_empty() {
                return Ok(());
            }
            visit(page);
        }
    }

    /// The last snapshot, if it can be used.
    fn image(
        &self,
        schema: &'static SchemaDef,
        confirmed: SeqNum,
    ) -> Result<Option<StateImage>, EventlogError> {
        let Some(snapshots) = &self.snapshots else { return Ok(None) };
        let Ok((bytes, head)) = snapshots.snapshot().read_bytes(schema, confirmed) else {
            return Ok(None);
        };
        let fingerprint = self.log.fingerprint(head)?;
        Ok(fingerprint.map(|found| StateImage {
            head,
            history_id: found.history_id,
            checksum: found.checksum,
            snapshot: Bytes(bytes),
        }))
    }
}
