//! Work on the pieces of a buffer, on several threads.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// The number of pieces that are worth one more thread.
const PER_THREAD: usize = 8;

/// More threads would not read faster.
const MAX_THREADS: usize = 4;

/// Calls `work` with each piece of `size` bytes of the buffer, and its position among them. Several
/// threads share large buffers. On this thread, `done` receives each result, in any order.
pub(crate) fn for_each_chunk<R: Send>(
    buffer: &mut [u8],
    size: usize,
    work: impl Fn(usize, &mut [u8]) -> R + Sync,
    mut done: impl FnMut(usize, R),
) {
    let count = buffer.len().div_ceil(size);
    let chunks = Mutex::new(buffer.chunks_mut(size).enumerate());
    let next = || chunks.lock().unwrap_or_else(PoisonError::into_inner).next();
    let (sender, results) = channel();
    let helper = |sender: Sender<(usize, R)>| {
        while let Some((n, chunk)) = next() {
            // The receiver lives as long as the scope.
            let _ = sender.send((n, work(n, chunk)));
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads(count) {
            let (sender, helper) = (sender.clone(), &helper);
            let thread = thread::Builder::new().name("livestore-read".to_owned());
            // Without more threads, this one does it all.
            let _ = thread.spawn_scoped(scope, move || helper(sender));
        }
        while let Some((n, chunk)) = next() {
            done(n, work(n, chunk));
            results.try_iter().for_each(|(n, result)| done(n, result));
        }
        drop(sender);
        results.iter().for_each(|(n, result)| done(n, result));
    });
}

fn threads(chunks: usize) -> usize {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    cores.min(MAX_THREADS).min(chunks / PER_THREAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_piece_is_worked_on_once() {
        for length in [0, 1, 100, 1_000, 100_000] {
            let mut buffer: Vec<u8> = (0..length).map(|n| n as u8).collect();
            let expected: Vec<u64> = sums(&buffer);
            let mut found = vec![u64::MAX; expected.len()];
            let sum = |_, chunk: &mut [u8]| chunk.iter().map(|&byte| u64::from(byte)).sum();
            for_each_chunk(&mut buffer, 100, sum, |n, sum: u64| found[n] = sum);
            assert_eq!(found, expected);
        }
    }

    fn sums(buffer: &[u8]) -> Vec<u64> {
        buffer.chunks(100).map(|chunk| chunk.iter().map(|&byte| u64::from(byte)).sum()).collect()
    }
}
