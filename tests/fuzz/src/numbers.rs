use livestore::{SeqNum, Timestamp};

/// A text: what is parsed is written as a text that is parsed to the same.
pub fn numbers(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(seq) = text.parse::<SeqNum>() {
        assert_eq!(seq.to_string().parse(), Ok(seq));
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        assert_eq!(time.to_string().parse(), Ok(time));
    }
}
