//! Events and states as files, in pieces.

use livestore::tools::NamedEvent;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::cell::base64;
use super::{Host, Refused, lock, seq_of};
use crate::protocol::{CommittedInfo, Lines, Piece, RefusalCode, Source};

/// The number of events, and about the most bytes, of an answer.
const MAX_EVENTS: usize = 1_000;
const MAX_BYTES: usize = 2 << 20;

/// The most events that are imported at once.
const MAX_LINES: usize = 1_000;

/// An event, as a line has it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    #[serde(default)]
    seq_num: String,
    #[serde(default)]
    parent_seq_num: String,
    name: String,
    #[serde(borrow)]
    args: &'a RawValue,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    session_id: String,
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
            let line = Line {
                seq_num: event.seq.to_string(),
                parent_seq_num: event.parent.to_string(),
                name: event.name.to_string(),
                args: serde_json::from_str(&event.args).map_err(unwritten)?,
                client_id: event.client_id.to_string(),
                session_id: event.session_id.to_string(),
            };
            let line = serde_json::to_string(&line).map_err(unwritten)?;
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
            let line: Line<'_> = serde_json::from_str(line).map_err(|error| {
                Refused::new(RefusalCode::BadCall, format!("line {} is no event: {error}", n + 1))
            })?;
            Ok(NamedEvent::new(line.name, line.args.get()))
        };
        let events: Vec<_> = lines.iter().enumerate().map(parse).collect::<Result<_, Refused>>()?;
        Ok(CommittedInfo::of(&self.sources.target(fork)?.commit(&events)?))
    }
}
