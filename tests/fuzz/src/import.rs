use std::path::Path;

use livestore_server::cli::{read_batches, write_line};
use livestore_server::store::StoredEvent;

/// A file to import: what is taken is exported as a file that is taken the same.
pub fn import(bytes: &[u8]) {
    let Some(events) = read(bytes) else { return };
    let mut again = Vec::new();
    events.iter().for_each(|stored| write_line(&mut again, stored).unwrap());
    assert_eq!(read(&again), Some(events), "{}", String::from_utf8_lossy(&again));
}

fn read(bytes: &[u8]) -> Option<Vec<StoredEvent>> {
    let mut events = Vec::new();
    let mut take = |batch| {
        events.extend::<Vec<StoredEvent>>(batch);
        Ok(())
    };
    read_batches(Path::new("fuzz"), bytes, &mut take).ok()?;
    Some(events)
}
