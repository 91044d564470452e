//! Most args are plain: an object of strings without escapes, whole numbers, `true`, `false` and
//! `null`, without white space. They are split in one look, and only then decoded.

use std::borrow::Cow;

/// The fields of a plain object, as serde_json would split it; `None` if it is not one, which
/// says nothing about whether it is JSON.
pub(super) fn split(json: &str) -> Option<Vec<(Cow<'_, str>, &str)>> {
    let mut rest = json.strip_prefix('{')?;
    let mut fields = Vec::with_capacity(8);
    loop {
        let (name, after) = rest.split_at_checked(string(rest.as_bytes())?)?;
        let name = name.strip_prefix('"')?.strip_suffix('"')?;
        let after = after.strip_prefix(':')?;
        let (value, after) = after.split_at_checked(value(after.as_bytes())?)?;
        fields.push((Cow::Borrowed(name), value));
        match after.split_at_checked(1)? {
            (",", after) => rest = after,
            ("}", "") => return Some(fields),
            _ => return None,
        }
    }
}

/// The length of the plain value at the beginning.
fn value(json: &[u8]) -> Option<usize> {
    match json.first()? {
        b'"' => string(json),
        b'-' => Some(1 + digits(json.get(1..)?)?),
        b'0'..=b'9' => digits(json),
        _ => {
            let literals: [&[u8]; 3] = [b"true", b"false", b"null"];
            literals.iter().find(|literal| json.starts_with(literal)).map(|literal| literal.len())
        }
    }
}

/// The length of the string at the beginning, its quotes included.
fn string(json: &[u8]) -> Option<usize> {
    let text = json.strip_prefix(b"\"")?;
    let (words, _) = text.as_chunks();
    let plain = words.iter().take_while(|word| is_plain(**word)).count() * size_of::<u64>();
    let rest = text.get(plain..)?;
    let end = plain + rest.iter().position(|&byte| matches!(byte, b'"' | b'\\' | ..=0x1f))?;
    (text.get(end) == Some(&b'"')).then_some(end + 2)
}

/// Whether no byte is a quote, a backslash or a control character. Eight bytes are looked at in the
/// time of one: see "Determine if a word has a zero byte" in Sean Anderson's Bit Twiddling Hacks.
fn is_plain(bytes: [u8; size_of::<u64>()]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH_BITS: u64 = ONES << 7;
    let word = u64::from_ne_bytes(bytes);
    let has_less =
        |word: u64, than: u8| word.wrapping_sub(ONES * u64::from(than)) & !word & HIGH_BITS;
    let has = |byte: u8| has_less(word ^ (ONES * u64::from(byte)), 1);
    has(b'"') | has(b'\\') | has_less(word, 0x20) == 0
}

/// The length of the whole number without a sign at the beginning.
fn digits(json: &[u8]) -> Option<usize> {
    let length = json.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match json.first()? {
        b'0' => (length == 1).then_some(1),
        _ => (length > 0).then_some(length),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::ObjectFields;
    use super::*;

    #[test]
    fn plain_objects_are_split() {
        let json = r#"{"id":"äöü","n":-12,"zero":0,"done":false,"none":null,"id":"b"}"#;
        let fields = split(json).unwrap();
        let fields: Vec<_> = fields.iter().map(|(name, value)| (&**name, *value)).collect();
        let expected = [
            ("id", "\"äöü\""),
            ("n", "-12"),
            ("zero", "0"),
            ("done", "false"),
            ("none", "null"),
            ("id", "\"b\""),
        ];
        assert_eq!(fields, expected);
    }

    #[test]
    fn what_is_not_plain_is_left_alone() {
        for json in [
            "{}",
            "[1]",
            "1",
            "{",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1",
            "{\"a\":1,}",
            "{\"a\":1}}",
            "{\"a\":01}",
            "{\"a\":-}",
            "{\"a\":1.5}",
            "{\"a\":1e3}",
            "{\"a\":nul}",
            "{\"a\":nullx}",
            "{\"a\":\"\\n\"}",
            "{\"a\":\"\n\"}",
            "{\"a\": 1}",
            "{\"a\":[]}",
            "{a:1}",
            "{\"a\":\"b}",
        ] {
            assert_eq!(split(json), None, "{json}");
        }
    }

    #[test]
    fn every_byte_of_a_word_is_looked_at() {
        for (byte, at) in (0..=255).flat_map(|byte| (0..8).map(move |at| (byte, at))) {
            for filler in [b' ', b'a', 0x80, 0xff] {
                let mut word = [filler; 8];
                word[at] = byte;
                let is_special = byte == b'"' || byte == b'\\' || byte < 0x20;
                assert_eq!(is_plain(word), !is_special, "{byte} at {at} of {filler}");
            }
        }
    }

    proptest! {
        /// Whatever the text: what is considered plain is JSON, and splits as serde_json splits it.
        #[test]
        fn serde_json_agrees(json in r#"\{("[a-c\\\\\PC]{0,3}":(-?[0-9]{1,3}|0|true|null|"[^{}]{0,4}"|[-.e0-9tru\[\]"]{0,4}),?){0,4}\}"#) {
            if let Some(fields) = split(&json) {
                let ObjectFields(expected) = serde_json::from_str(&json).unwrap();
                prop_assert_eq!(fields, expected);
            }
        }
    }
}
