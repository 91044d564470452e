//! States from a folder, with an app's materializers.

use super::{InspectError, StateView};
use crate::event::SeqNum;
use crate::eventlog::{Eventlog, is_after};
use crate::schema::SchemaDef;
use crate::state::{Replay, Snapshot, State};

pub(super) fn replay(
    log: &Eventlog,
    snapshot: &Snapshot,
    schema: &'static SchemaDef,
    to: SeqNum,
) -> Result<StateView, InspectError> {
    let head = log.head()?;
    if is_after(to, head) {
        return Err(InspectError::NoSuchEvent { seq: to, head });
    }
    let mut state = match snapshot.read(schema, to, &mut |_, _| ()) {
        Ok((state, _)) => state,
        Err(_) => State::empty(schema)?,
    };
    Replay::new(log).run(&mut state, to)?;
    if is_after(to, state.head) {
        // There are events beyond, but none with this number.
        return Err(InspectError::NoSuchEvent { seq: to, head: state.head });
    }
    let schema_hash = schema.hash().ok();
    Ok(StateView::new(state, schema_hash))
}
