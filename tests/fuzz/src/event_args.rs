use std::cell::RefCell;

use livestore::Store;
use livestore::event::EncodedEvent;
use livestore::sync::SyncEvent;

use crate::app::{App, NoteEvent};

thread_local! {
    static STORE: RefCell<Option<Store<App>>> = const { RefCell::new(None) };
}

/// A byte for the name, and args: an event that can be read is written as one that can be read, and
/// is written the same. (It need not be the same value: JSON's `1.0` is written `1`.)
pub fn event_args(bytes: &[u8]) {
    let Some((name, args)) = bytes.split_first() else { return };
    let Ok(args) = std::str::from_utf8(args) else { return };
    let names = ["v1.Noted", "v1.Starred", "v1.Seen", "v1.Other"];
    let name = names[usize::from(*name) % names.len()];
    if let Ok(event) = encoded(name, args).decode::<NoteEvent>() {
        let Some(args) = logged(event) else { return };
        let again = encoded(name, &args).decode::<NoteEvent>().unwrap();
        // The state is another one by now, and may refuse it.
        assert!(logged(again).is_none_or(|again| again == args));
    }
}

fn encoded(name: &str, args: &str) -> EncodedEvent {
    EncodedEvent::from(SyncEvent {
        seq: 1,
        parent: 0,
        name: name.to_owned(),
        args: args.to_owned(),
        client_id: "c".into(),
        session_id: "s".into(),
        metadata: None,
    })
}

/// The args of the event, as a log has them; `None` if its materializer fails.
fn logged(event: NoteEvent) -> Option<String> {
    STORE.with_borrow_mut(|kept| {
        // It grows with each event.
        kept.take_if(|store| store.head().unwrap().global > 200);
        let store = kept.get_or_insert_with(|| Store::builder("fuzz").open().unwrap());
        store.commit(event).ok()?;
        Some(store.events().into_iter().last()?.unwrap().args)
    })
}
