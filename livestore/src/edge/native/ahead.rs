//! Reading ahead, and working behind: the next piece is read while this one is worked on.

use std::sync::mpsc::sync_channel;
use std::thread;

/// Calls `work` with what `read` gives, until `read` gives `None` or `work` fails. Where there is a
/// thread to be had, `read` runs on it, one piece ahead.
pub(crate) fn read_ahead<T: Send, E>(
    mut read: impl FnMut() -> Option<T> + Send,
    mut work: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    let done = thread::scope(|scope| {
        let (sender, pieces) = sync_channel(1);
        let read = &mut read;
        let reader = move || {
            while let Some(piece) = read() {
                // Nobody receives it when `work` has failed.
                if sender.send(piece).is_err() {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("livestore-read".to_owned());
        thread.spawn_scoped(scope, reader).ok().map(|_| pieces.into_iter().try_for_each(&mut work))
    });
    match done {
        Some(done) => done,
        None => std::iter::from_fn(read).try_for_each(work),
    }
}

/// Calls `fill` with one piece of `buffer` after another, and `work` with each that is filled. Where
/// there is a thread to be had, `work` runs on it, while the next piece is filled; a single piece is
/// not worth one.
pub(crate) fn work_behind<E>(
    buffer: &mut [u8],
    piece: usize,
    mut fill: impl FnMut(&mut [u8]) -> Result<(), E>,
    mut work: impl FnMut(&[u8]) + Send,
) -> Result<(), E> {
    let mut pieces = buffer.chunks_mut(piece);
    let has_many = pieces.len() > 1;
    thread::scope(|scope| {
        let (sender, filled) = sync_channel::<&[u8]>(64);
        let work = &mut work;
        let worker = move || filled.into_iter().for_each(work);
        let thread = thread::Builder::new().name("livestore-hash".to_owned());
        if !has_many || thread.spawn_scoped(scope, worker).is_err() {
            return Ok(());
        }
        pieces.by_ref().try_for_each(|piece| {
            fill(piece)?;
            // The worker goes on until there is nothing left.
            let _ = sender.send(piece);
            Ok(())
        })
    })?;
    pieces.try_for_each(|piece| {
        fill(piece)?;
        work(piece);
        Ok(())
    })
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
            seen.push(n);
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
        assert_eq!(read_ahead(read, |n| if n < 5 { Ok(()) } else { Err(n) }), Err(5));
        assert!(next < 10, "{next}");
    }

    #[test]
    fn every_filled_piece_is_worked_on_in_order() {
        let (mut buffer, mut next, mut seen) = (vec![0; 1_000], 0, Vec::new());
        let fill = |piece: &mut [u8]| {
            piece.fill(next);
            next += 1;
            Ok::<(), ()>(())
        };
        work_behind(&mut buffer, 99, fill, |piece| seen.extend_from_slice(piece)).unwrap();
        assert_eq!(seen, buffer);
        assert_eq!((next, buffer.last()), (11, Some(&10)));
    }

    #[test]
    fn what_cannot_be_filled_is_an_error() {
        let mut buffer = [0; 10];
        assert_eq!(work_behind(&mut buffer, 3, |_| Err(7), |_| ()), Err(7));
    }
}
