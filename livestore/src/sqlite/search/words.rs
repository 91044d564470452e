//! What somebody types, as words to search for. None of it is syntax.

/// The most words of a text that are searched for: each costs a search of its own.
const MAX_WORDS: usize = 32;

/// The most characters of a text that count.
const MAX_CHARS: usize = 1_000;

/// Returns the words of the text, with a space between two. What has neither a letter nor a digit is no word.
pub(crate) fn words_of(text: &str) -> String {
    let end = text.char_indices().nth(MAX_CHARS).map_or(text.len(), |(end, _)| end);
    let text = text.get(..end).unwrap_or_default();
    // FTS5 reads no further than a NUL, and a quote would end the word.
    let parts = text.split(|char: char| char.is_whitespace() || matches!(char, '\0' | '"'));
    let mut words: Vec<&str> = Vec::new();
    for part in parts.filter(|part| part.chars().any(char::is_alphanumeric)) {
        if !words.contains(&part) && words.len() < MAX_WORDS {
            words.push(part);
        }
    }
    words.join(" ")
}

/// The words as a query of FTS5: each is the beginning of a word of the row.
pub(super) fn to_match(words: &str) -> String {
    words.split(' ').map(|word| format!("\"{word}\"*")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_has_letters_or_digits() {
        for (text, words) in [
            ("crash rep", "crash rep"),
            ("  a\tb\u{a0}c\n", "a b c"),
            ("", ""),
            (" \t", ""),
            ("- * \" ( ) ^ : + 😀 \0", ""),
            ("say \"hello\" -twice*", "say hello -twice*"),
            ("a\0b", "a b"),
            ("NEAR(a b)", "NEAR(a b)"),
            ("it it's it", "it it's"),
        ] {
            assert_eq!(words_of(text), words, "{text:?}");
        }
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(words_of(&"ä".repeat(5_000)).chars().count(), MAX_CHARS);
        let numbers: String = (0..1_000).map(|n| format!("{n} ")).collect();
        assert_eq!(words_of(&numbers).split(' ').count(), MAX_WORDS);
    }

    #[test]
    fn each_word_is_quoted() {
        assert_eq!(to_match("crash AND rep*"), r#""crash"* "AND"* "rep*"*"#);
    }
}
