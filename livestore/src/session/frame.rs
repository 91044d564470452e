//! Messages as frames: a long message is cut, so that no frame is long.

/// The most bytes of a frame, its first byte included. In a browser, a frame costs more than its bytes.
const MAX_FRAME: usize = if cfg!(target_family = "wasm") { 4 << 20 } else { 64 * 1024 };

/// The most bytes of a message. One with as much pending is refused, so that garbage does not fill the
/// memory.
pub(crate) const MAX_MESSAGE: usize = 1 << 30;

/// The first byte of a frame: whether the message continues in the next one.
const LAST: u8 = 0;
const CONTINUES: u8 = 1;

/// Cuts a message into frames.
pub(crate) fn frames(message: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let count = message.len().div_ceil(MAX_FRAME - 1);
    message.chunks(MAX_FRAME - 1).enumerate().map(move |(n, part)| {
        let mut frame = Vec::with_capacity(part.len() + 1);
        frame.push(if n + 1 == count { LAST } else { CONTINUES });
        frame.extend_from_slice(part);
        frame
    })
}

/// Puts the frames of a line together again.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    message: Vec<u8>,
}

/// Frames that no session has sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Garbage;

impl Assembler {
    /// Takes the next frame; returns the message whose last one it is.
    pub(crate) fn add(&mut self, frame: &[u8]) -> Result<Option<Vec<u8>>, Garbage> {
        let Some((&first, part)) = frame.split_first() else { return Err(Garbage) };
        if first > CONTINUES || part.len() > MAX_MESSAGE - self.message.len() {
            return Err(Garbage);
        }
        self.message.extend_from_slice(part);
        Ok((first == LAST).then(|| std::mem::take(&mut self.message)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back() {
        let mut assembler = Assembler::default();
        for length in [1, 2, MAX_FRAME - 2, MAX_FRAME - 1, MAX_FRAME, 3 * MAX_FRAME] {
            let message: Vec<_> = (0..length).map(|n| n as u8).collect();
            let mut found = None;
            for frame in frames(&message) {
                assert_eq!(found, None);
                assert!(frame.len() <= MAX_FRAME);
                found = assembler.add(&frame).unwrap();
            }
            assert_eq!(found, Some(message));
        }
        assert_eq!(assembler.add(&[]), Err(Garbage));
        assert_eq!(assembler.add(&[2, 0]), Err(Garbage));
    }
}
