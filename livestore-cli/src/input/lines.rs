//! A line of JSON for each event.

use std::io::{BufRead, Read};
use std::path::Path;

use livestore::tools::EventLine;

use super::{Take, Texts, at};
use crate::exit::{Failure, Result};

/// The longest line that is read, in bytes. A sync backend accepts events of about a megabyte.
const MAX_LINE: u64 = 64 * 1024 * 1024;

pub(super) fn read(path: &Path, mut content: impl BufRead, take: Take<'_>) -> Result {
    let mut texts = Texts::default();
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let read = content.by_ref().take(MAX_LINE + 1).read_until(b'\n', &mut line);
        if read.map_err(at(path))? == 0 {
            break;
        }
        let in_line = |problem: &dyn std::fmt::Display| {
            Failure::failed(format!("{}:{number}: {problem}", path.display()))
        };
        if line.len() as u64 > MAX_LINE {
            return Err(in_line(&"the line is longer than 64 MiB"));
        }
        let text =
            if number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line) } else { &line };
        let parsed: EventLine<'_> =
            serde_json::from_slice(text).map_err(|error| in_line(&error))?;
        let (client, session) =
            (texts.client(parsed.client_id()), texts.session(parsed.session_id()));
        let event = parsed.into_event(client, session);
        take(event)
            .map_err(|failure| Failure::new(failure.exit, in_line(&failure.message()).error))?;
    }
    Ok(())
}
