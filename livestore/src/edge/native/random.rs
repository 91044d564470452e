//! Randomness.

/// Fills the bytes with random ones.
///
/// # Panics
/// If the operating system has no source of randomness: there is no safe id without one.
#[expect(clippy::expect_used, reason = "no safe identifier exists without randomness")]
pub(crate) fn fill_random(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system has no source of randomness");
}
