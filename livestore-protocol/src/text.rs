//! Text from outside, for people.

/// Returns the text in one line, with everything escaped that could control a terminal or a log: control
/// characters, line breaks, and marks that reverse the direction of the text.
///
/// Ids, names and messages come from the other end of a connection, and may hold anything.
///
/// ```
/// use livestore_protocol::printable;
///
/// assert_eq!(printable("a\n\u{1b}[2Jé"), r"a\n\u{1b}[2Jé");
/// ```
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            _ if char.is_control() => out.extend(char.escape_default()),
            '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.extend(char.escape_unicode()),
            _ => out.push(char),
        }
    }
    out
}
