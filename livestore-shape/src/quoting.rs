//! Names and marks in a line of the lock, which are quoted only where they need it.

use std::fmt::{self, Write as _};

/// The characters that a name may have without quotes, beside letters and digits.
pub(crate) const NAME_CHARS: &str = "_.-*/$#";
/// The same for a mark, which ends at a comma or a parenthesis.
pub(crate) const MARK_CHARS: &str = "_.-*/$#: ";

/// Displays a text, in quotes if it has other characters than letters, digits and these.
pub(crate) struct Quoted<'a>(pub(crate) &'a str, pub(crate) &'static str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.is_empty() && self.0.chars().all(|char| is_plain(char, self.1)) {
            return f.write_str(self.0);
        }
        f.write_char('"')?;
        for char in self.0.chars() {
            match char {
                '"' | '\\' => write!(f, "\\{char}")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                _ => f.write_char(char)?,
            }
        }
        f.write_char('"')
    }
}

fn is_plain(char: char, others: &str) -> bool {
    char.is_alphanumeric() || others.contains(char)
}

/// Reads a name or mark from the start of `text`, and returns it with the rest of the text. Without
/// quotes it ends at the first character that is no letter, no digit and none of these.
pub(crate) fn read<'a>(text: &'a str, others: &str) -> Option<(String, &'a str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|char| !is_plain(char, others)).unwrap_or(text.len());
        let (word, rest) = text.split_at_checked(end)?;
        return (!word.is_empty()).then(|| (word.to_owned(), rest));
    };
    let (mut word, mut chars) = (String::new(), quoted.chars());
    while let Some(char) = chars.next() {
        match char {
            '"' => return Some((word, chars.as_str())),
            '\\' => word.push(match chars.next()? {
                'n' => '\n',
                'r' => '\r',
                other => other,
            }),
            other => word.push(other),
        }
    }
    None
}
