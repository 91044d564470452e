//! Watching a folder for changes.

use std::path::Path;
use std::sync::mpsc::Sender;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::worker::Message;

/// Watches a folder until it is dropped.
pub(crate) struct Watch {
    _watcher: RecommendedWatcher,
}

impl Watch {
    pub(crate) fn start(root: &Path, to: Sender<Message>) -> notify::Result<Self> {
        let mut watcher = notify::recommended_watcher(move |event| {
            if let Some(message) = message_of(event) {
                // The worker has ended if nobody receives it.
                let _ = to.send(message);
            }
        })?;
        watcher.watch(root, RecursiveMode::Recursive)?;
        Ok(Self { _watcher: watcher })
    }
}

fn message_of(event: notify::Result<Event>) -> Option<Message> {
    match event {
        // Events were lost, or something is wrong: whatever has changed is found by a scan. Such an event may
        // have no paths.
        Err(_) => Some(Message::Scan),
        Ok(event) if event.need_rescan() => Some(Message::Scan),
        // Reading a file is no change, and this crate reads.
        Ok(Event { kind: EventKind::Access(_), .. }) => None,
        Ok(event) => Some(Message::Paths(event.paths)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{AccessKind, Flag, ModifyKind};

    #[test]
    fn lost_events_have_the_folder_scanned() {
        let lost = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert!(matches!(message_of(Ok(lost)), Some(Message::Scan)));
        let failed = notify::Error::generic("the queue is full");
        assert!(matches!(message_of(Err(failed)), Some(Message::Scan)));
    }

    #[test]
    fn reading_is_no_change() {
        let read = Event::new(EventKind::Access(AccessKind::Any)).add_path("a.md".into());
        assert!(message_of(Ok(read)).is_none());
        let write = Event::new(EventKind::Modify(ModifyKind::Any)).add_path("a.md".into());
        assert!(matches!(message_of(Ok(write)), Some(Message::Paths(paths)) if paths.len() == 1));
    }
}
