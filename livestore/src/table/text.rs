//! Matching text, as SQLite does it, in time that is linear in the text.

use std::borrow::Cow;

/// Whether the text matches a pattern of SQL's `LIKE`: `%` is any text, `_` any character, ASCII case is
/// ignored.
pub(super) fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (ascii_folded(before_nul(pattern)), ascii_folded(before_nul(text)));
    let mut pieces = pattern.split('%').map(Piece);
    let Some(first) = pieces.next() else { return false };
    let Some(mut rest) = first.strip_from_start(&text) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    // The first place where a piece fits is the best one: it leaves the most to the others.
    for piece in pieces {
        match piece.strip_from_anywhere(rest) {
            Some(behind) => rest = behind,
            None => return false,
        }
    }
    last.is_at_end(rest)
}

/// SQLite's `LIKE` looks no further.
fn before_nul(text: &str) -> &str {
    text.split_once('\0').map_or(text, |(before, _)| before)
}

fn ascii_folded(text: &str) -> Cow<'_, str> {
    match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(text.to_ascii_lowercase()),
        false => Cow::Borrowed(text),
    }
}

/// A part of a pattern between two `%`.
#[derive(Debug, Clone, Copy)]
struct Piece<'p>(&'p str);

impl Piece<'_> {
    /// The text behind the piece, if the text begins with it.
    fn strip_from_start(self, text: &str) -> Option<&str> {
        let mut rest = text.chars();
        let fits = self
            .0
            .chars()
            .all(|wanted| rest.next().is_some_and(|char| wanted == '_' || wanted == char));
        fits.then_some(rest.as_str())
    }

    /// The text behind the first place where the piece fits.
    fn strip_from_anywhere(self, text: &str) -> Option<&str> {
        if !self.0.contains('_') {
            let at = text.find(self.0)?;
            return text.get(at + self.0.len()..);
        }
        let mut from = text;
        loop {
            if let Some(behind) = self.strip_from_start(from) {
                return Some(behind);
            }
            let mut chars = from.chars();
            chars.next()?;
            from = chars.as_str();
        }
    }

    fn is_at_end(self, text: &str) -> bool {
        if !self.0.contains('_') {
            return text.ends_with(self.0);
        }
        let chars = self.0.chars().count();
        let start = chars
            .checked_sub(1)
            .map_or(Some(text.len()), |skip| text.char_indices().rev().nth(skip).map(|(at, _)| at));
        let end = start.and_then(|start| text.get(start..));
        end.is_some_and(|end| self.strip_from_start(end) == Some(""))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition of `LIKE`, as it stands in a textbook. Exponential.
    fn textbook_like(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], text) => text.is_empty(),
            (['%', rest @ ..], text) => (0..=text.len()).any(|at| textbook_like(rest, &text[at..])),
            (['_', pattern @ ..], [_, text @ ..]) => textbook_like(pattern, text),
            ([wanted, pattern @ ..], [char, text @ ..]) => {
                wanted.eq_ignore_ascii_case(char) && textbook_like(pattern, text)
            }
            (_, []) => false,
        }
    }

    proptest! {
        #[test]
        fn like_matches_as_the_textbook_says(pattern in "[aBé%_]{0,7}", text in "[Abé%_]{0,9}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(
                like(&pattern, &text),
                textbook_like(&chars(&pattern), &chars(&text)),
                "{} LIKE {}", text, pattern
            );
        }
    }

    #[test]
    fn a_pattern_of_many_wildcards_is_decided() {
        let text = "a".repeat(200_000);
        let pattern = format!("{}b", "%a".repeat(20_000));
        assert!(!like(&pattern, &text));
        assert!(like(&"%a".repeat(20_000), &text));
        assert!(!like(&format!("{}b", "%a_".repeat(20_000)), &text));
    }
}
