//! Events as lines of JSON: in an export, in `events --json`, and over MCP.

use std::io::Write;

use livestore::event::EncodedEvent;
use livestore::tools::EventLine;
use serde::{Deserialize, Deserializer};

use crate::exit::{Failure, Result};

/// The line of an event.
pub(crate) fn of(event: &EncodedEvent) -> Result<EventLine<'_>> {
    EventLine::of(event).map_err(|error| {
        Failure::failed(format!("the args of the event {} are not JSON: {error}", event.seq))
    })
}

/// Writes an event as a line of an export.
pub(crate) fn write(out: &mut impl Write, event: &EncodedEvent) -> Result {
    serde_json::to_writer(&mut *out, &of(event)?)?;
    Ok(out.write_all(b"\n")?)
}

/// Reads a field that is there, also if it is `null`.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    field: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(field).map(Some)
}
