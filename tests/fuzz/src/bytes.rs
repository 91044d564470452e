//! Input, taken bit by bit.

/// What is left of the input. Where there is nothing left, it gives zeros.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or_default()
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let bytes = [self.byte(), self.byte(), self.byte()];
        bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)) % end
    }

    /// As many as are there, `count` at most.
    pub(crate) fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// What follows its length.
    pub(crate) fn text(&mut self) -> &'a [u8] {
        let count = self.byte();
        self.take(count.into())
    }
}
