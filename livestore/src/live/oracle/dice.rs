//! Choices, made by a list of numbers: proptest makes the list and makes it smaller.

/// Rolls one number after the other; when there are none left, zeros. Zero is always the plainest
/// choice, so smaller numbers are plainer cases.
pub(super) struct Dice<'a> {
    rolls: std::slice::Iter<'a, u16>,
}

impl<'a> Dice<'a> {
    pub(super) fn new(rolls: &'a [u16]) -> Self {
        Self { rolls: rolls.iter() }
    }

    /// A number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::from(self.rolls.next().copied().unwrap_or(0)) % end
    }

    /// Returns `true` with this probability, in percent.
    pub(super) fn percent(&mut self, often: usize) -> bool {
        self.below(100) >= 100 - often
    }

    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// As many as a roll below `end` says.
    pub(super) fn some<T>(&mut self, end: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(end)).map(|_| make(self)).collect()
    }
}
