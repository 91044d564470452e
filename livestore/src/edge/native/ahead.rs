//! Reading ahead, and working behind: the next piece is read while this one is worked on.

use std::sync::mpsc::{channel, sync_channel};
use std::thread;

/// Calls `work` with what `read` returns, until `read` returns `None` or `work` fails. If a thread
/// can be spawned, `read` runs on it, one piece ahead, and so does the dropping of the pieces.
pub(crate) fn read_ahead<T: Send, E>(
    mut read: impl FnMut() -> Option<T> + Send,
    mut work: impl FnMut(&mut T) -> Result<(), E>,
) -> Result<(), E> {
    let done = thread::scope(|scope| {
        let (sender, pieces) = sync_channel(1);
        let (used_sender, used) = channel();
        let read = &mut read;
        let reader = move || {
            while let Some(piece) = read() {
                // Nobody receives it when `work` has failed.
                if sender.send(piece).is_err() {
                    return;
                }
                used.try_iter().for_each(drop::<T>);
            }
        };
        let thread = thread::Builder::new().name("livestore-read".to_owned());
        let _reader = thread.spawn_scoped(scope, reader).ok()?;
        Some(pieces.into_iter().try_for_each(|mut piece| {
            work(&mut piece)?;
            // The reader has ended before the last pieces are used.
            let _ = used_sender.send(piece);
            Ok(())
        }))
    });
    match done {
        Some(done) => done,
        None => std::iter::from_fn(read).try_for_each(|mut piece| work(&mut piece)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_is_worked_on_in_order() {
        let (mut next, mut seen) = (0, Vec::new());
        let read = || {
            next += 1;
            (next <= 100).then_some(next)
        };
        read_ahead(read, |n| {
            seen.push(*n);
            Ok::<(), ()>(())
        })
        .unwrap();
        assert!(seen.into_iter().eq(1..=100));
    }

    #[test]
    fn a_failure_ends_the_reading() {
        let mut next = 0;
        let read = || {
            next += 1;
            Some(next)
        };
        assert_eq!(read_ahead(read, |n| if *n < 5 { Ok(()) } else { Err(*n) }), Err(5));
        assert!(next < 10, "{next}");
    }
}
