//! Randomness that comes again with the same seed.

use std::cell::Cell;

use super::{clock, schedule};

thread_local! {
    static SEED: Cell<u64> = const { Cell::new(0) };
}

/// Begins a world: its luck follows from the seed, its time starts at zero, nothing is due.
pub fn seed(seed: u64) {
    SEED.set(seed);
    clock::reset();
    schedule::reset();
}

/// Fills the bytes with random ones.
pub fn fill_random(bytes: &mut [u8]) {
    for chunk in bytes.chunks_mut(8) {
        chunk.copy_from_slice(next().to_le_bytes().get(..chunk.len()).unwrap_or_default());
    }
}

/// A number below this one.
pub(super) fn below(sides: u64) -> u64 {
    next() % sides.max(1)
}

/// SplitMix64.
fn next() -> u64 {
    let seed = SEED.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
    SEED.set(seed);
    let mut mixed = seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
