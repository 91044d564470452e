//! Frames: a length, as four bytes in little-endian order, and that many bytes.

use std::io::{self, Read};

/// The most bytes that a frame may have.
pub(super) const MAX_FRAME: usize = 64 << 20;

/// The number of bytes to make room for before any of them has arrived.
const FIRST_READ: usize = 64 << 10;

/// Why there is no further frame.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    #[error("the other session closed the connection")]
    End,
    #[error("the other session was gone in the middle of a frame")]
    Cut,
    #[error("a frame of {0} bytes is longer than the limit of {MAX_FRAME} bytes")]
    TooLong(usize),
    #[error("the connection could not be read from")]
    Io(#[source] io::Error),
}

/// Puts the length before the bytes.
pub(super) fn encode(frame: Vec<u8>) -> Result<Vec<u8>, FrameError> {
    let too_long = FrameError::TooLong(frame.len());
    match u32::try_from(frame.len()) {
        Ok(length) if frame.len() <= MAX_FRAME => {
            let mut bytes = frame;
            bytes.splice(0..0, length.to_le_bytes());
            Ok(bytes)
        }
        _ => Err(too_long),
    }
}

/// Reads the next frame. A length reserves no memory: bytes do, as they arrive.
pub(super) fn read(from: &mut impl Read) -> Result<Vec<u8>, FrameError> {
    let length = read_length(from)?;
    if length > MAX_FRAME {
        return Err(FrameError::TooLong(length));
    }
    let mut frame = Vec::with_capacity(length.min(FIRST_READ));
    from.take(length as u64).read_to_end(&mut frame).map_err(gone(FrameError::Cut))?;
    if frame.len() < length { Err(FrameError::Cut) } else { Ok(frame) }
}

fn read_length(from: &mut impl Read) -> Result<usize, FrameError> {
    let mut bytes = Vec::with_capacity(4);
    from.take(4).read_to_end(&mut bytes).map_err(gone(FrameError::End))?;
    match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(length) => Ok(u32::from_le_bytes(length) as usize),
        Err(_) if bytes.is_empty() => Err(FrameError::End),
        Err(_) => Err(FrameError::Cut),
    }
}

/// An end that leaves bytes unread resets the connection, which is an end like any other.
fn gone(end: FrameError) -> impl FnOnce(io::Error) -> FrameError {
    |error| match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => end,
        _ => FrameError::Io(error),
    }
}
