//! `livestore events`

use std::collections::VecDeque;
use std::time::Duration;

use livestore::SeqNum;
use livestore::event::EncodedEvent;
use livestore::inspect::Folder;
use livestore_protocol::printable;

use crate::args::{Events, Selection};
use crate::exit::Result;
use crate::line;
use crate::output::{Output, Style};

/// How often the log is looked at for new events.
const EVERY: Duration = Duration::from_millis(100);

pub(super) fn run(out: &mut Output, args: &Events) -> Result {
    let folder = args.place.open()?;
    let confirmed = folder.confirmed_head()?;
    let mut events = folder.events().after(args.after.unwrap_or(SeqNum::ROOT));
    if let Some(to) = args.to {
        events = events.to(to);
    }
    let mut last = args.last.map(|count| (count, VecDeque::new()));
    let mut shown = 0;
    for event in events {
        let event = event?;
        if !wanted(args, &event, confirmed) {
            continue;
        }
        match &mut last {
            Some((count, last)) => {
                last.push_back(event);
                if last.len() > *count {
                    last.pop_front();
                }
            }
            None if args.first.is_some_and(|first| shown >= first) => break,
            None => show(out, &event, confirmed)?,
        }
        shown += 1;
    }
    for event in last.into_iter().flat_map(|(_, last)| last) {
        show(out, &event, confirmed)?;
    }
    if args.follow { follow(out, args, &folder) } else { Ok(()) }
}

/// Shows new events as they come.
fn follow(out: &mut Output, args: &Events, folder: &Folder) -> Result {
    let mut seen = Seen::of(folder)?;
    loop {
        out.flush()?;
        std::thread::sleep(EVERY);
        if !folder.has_changed()? {
            continue;
        }
        let from = seen.still_there(folder)?;
        let confirmed = folder.confirmed_head()?;
        for event in folder.events().after(from) {
            let event = event?;
            if wanted(args, &event, confirmed) {
                show(out, &event, confirmed)?;
            }
        }
        seen = Seen::of(folder)?;
    }
}

/// The end of a log at one moment: what is pending there may be renumbered.
struct Seen {
    confirmed: SeqNum,
    last: Option<EncodedEvent>,
}

impl Seen {
    fn of(folder: &Folder) -> Result<Self> {
        let confirmed = folder.confirmed_head()?;
        let head = folder.head()?;
        Ok(Self { confirmed, last: folder.event(head)? })
    }

    /// The event up to which the log is as it was.
    fn still_there(&self, folder: &Folder) -> Result<SeqNum> {
        let Some(last) = &self.last else { return Ok(self.confirmed) };
        let now = folder.event(last.seq)?;
        let is_same = now.is_some_and(|now| {
            let event = |event: &EncodedEvent| {
                (event.seq, event.name.clone(), event.args.clone(), event.session_id.clone())
            };
            event(&now) == event(last)
        });
        Ok(if is_same { last.seq } else { self.confirmed })
    }
}

fn wanted(args: &Events, event: &EncodedEvent, confirmed: SeqNum) -> bool {
    let is =
        |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
    let is_which = match args.only {
        None => true,
        Some(Selection::Pending) => is_pending(event, confirmed),
        Some(Selection::Confirmed) => !is_pending(event, confirmed) && event.refusal().is_none(),
        Some(Selection::ClientOnly) => event.is_client_only(),
    };
    is_which
        && (args.name.is_empty() || args.name.iter().any(|name| *name == event.name))
        && is(&args.client, &event.client_id)
        && is(&args.session, &event.session_id)
        && args.contains.as_ref().is_none_or(|text| event.args.contains(text))
}

fn is_pending(event: &EncodedEvent, confirmed: SeqNum) -> bool {
    (event.seq.global, event.seq.client) > (confirmed.global, confirmed.client)
}

fn show(out: &mut Output, event: &EncodedEvent, confirmed: SeqNum) -> Result {
    if out.json {
        return line::write(out, event);
    }
    let seq = out.styled(Style::Faint, &event.seq.to_string());
    let name = out.styled(Style::Strong, &event.name);
    let mark = match event.refusal() {
        Some(_) => " (refused)",
        None if is_pending(event, confirmed) => " (pending)",
        None if event.is_client_only() => " (client-only)",
        None => "",
    };
    out.line(format!("{seq}{mark} {name} {}", printable(&event.args)))
}
