//! Events and states as files, in pieces.

use livestore::tools::{EventLine, NamedEvent};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::cell::base64;
use super::{Host, Refused, lock, seq_of};
use crate::protocol::{CommittedInfo, Lines, Piece, RefusalCode, Source};

/// The number of events, and about the most bytes, of an answer.
const MAX_EVENTS: usize = 1_000;
const MAX_BYTES: usize = 2 << 20;

/// The most events that are imported at once.
const MAX_LINES: usize = 1_000;

/// What is read of a line: the event is committed anew, with a number of its own.
#[derive(Deserialize)]
struct Read<'a> {
    name: String,
    #[serde(borrow, default, deserialize_with = "present")]
    args: Option<&'a RawValue>,
}

/// Reads a field that is there, also if it is `null`.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(field: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(field).map(Some)
}

impl Host {
    pub(super) fn export_events(&self, after: Option<&str>) -> Result<Lines, Refused> {
        let after = after.map(seq_of).transpose()?.unwrap_or_default();
        let (mut lines, mut bytes, mut last) = (Vec::new(), 0, None);
        for event in self.target.read(after, MAX_EVENTS)? {
            let unwritten = |error: serde_json::Error| {
                Refused::new(
                    RefusalCode::Store,
                    format!("event {} has no JSON: {error}", event.seq),
                )
            };
            let line = EventLine::of(&event).and_then(|line| serde_json::to_string(&line));
            let line = line.map_err(unwritten)?;
            bytes += line.len();
            lines.push(line);
            last = Some(event.seq.to_string());
            if bytes > MAX_BYTES {
                break;
            }
        }
        Ok(Lines { lines, last })
    }

    pub(super) fn export_state(&self, source: &Source, offset: u64) -> Result<Piece, Refused> {
        let state = self.sources.state(source)?;
        let bytes = lock(&state).to_bytes()?;
        let begin = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let piece = bytes.get(begin..).unwrap_or_default();
        let piece = piece.get(..MAX_BYTES).unwrap_or(piece);
        Ok(Piece { base64: base64(piece), total: bytes.len() as u64 })
    }

    pub(super) fn import_events(
        &self,
        fork: Option<u64>,
        lines: &[String],
    ) -> Result<CommittedInfo, Refused> {
        if lines.len() > MAX_LINES {
            let message = format!("up to {MAX_LINES} events are imported at once");
            return Err(Refused::new(RefusalCode::BadCall, message));
        }
        let parse = |(n, line): (usize, &String)| {
            let line: Read<'_> = serde_json::from_str(line).map_err(|error| {
                Refused::new(RefusalCode::BadCall, format!("line {} is no event: {error}", n + 1))
            })?;
            Ok(NamedEvent::new(line.name, line.args.map_or("", RawValue::get)))
        };
        let events: Vec<_> = lines.iter().enumerate().map(parse).collect::<Result<_, Refused>>()?;
        Ok(CommittedInfo::of(&self.sources.target(fork)?.commit(&events)?))
    }
}
