//! Halves of surrogate pairs, which a JavaScript text may have and a Rust text may not.

/// The JSON escape of U+FFFD, which stands for what is not a character.
const REPLACEMENT: &str = "\\ufffd";

/// Replaces every escaped half of a surrogate pair by U+FFFD; `None` if there is none.
pub(crate) fn without_lone_surrogates(json: &str) -> Option<String> {
    let mut whole = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = json.get(at..).and_then(|rest| rest.find('\\')) {
        let escape = at + found;
        at = escape + 2;
        let Some(unit) = unit(json, escape) else { continue };
        at = escape + 6;
        match unit {
            0xd800..=0xdbff if matches!(self::unit(json, at), Some(0xdc00..=0xdfff)) => at += 6,
            0xd800..=0xdfff => {
                whole.push_str(json.get(copied..escape)?);
                whole.push_str(REPLACEMENT);
                copied = at;
            }
            _ => {}
        }
    }
    (copied > 0).then(|| whole + json.get(copied..).unwrap_or_default())
}

/// Returns the code unit that is escaped at this place.
fn unit(json: &str, at: usize) -> Option<u16> {
    let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_halves_are_replaced() {
        for (json, expected) in [
            (r#""\ud83d""#, r#""\ufffd""#),
            (r#""a\uDE00b\ud83d""#, r#""a\ufffdb\ufffd""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\ud83d\u0041""#, r#""\ufffd\u0041""#),
        ] {
            assert_eq!(without_lone_surrogates(json).as_deref(), Some(expected), "{json}");
        }
        for json in [r#""\ud83d\ude00""#, r#""\\ud83d""#, r#""\u00e9""#, "{}", "\"\\", "\"\\u12"] {
            assert_eq!(without_lone_surrogates(json), None, "{json}");
        }
    }

    proptest! {
        /// Any text of UTF-16 units, as JavaScript escapes it, is read as Rust reads those units.
        #[test]
        fn a_javascript_text_is_read(units in prop::collection::vec(prop_oneof![any::<u16>(), 0xd7ffu16..0xe001, Just(0x5c)], 0..8)) {
            let escaped: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
            let json = format!("\"{escaped}\"");
            let whole = without_lone_surrogates(&json).unwrap_or(json);
            prop_assert_eq!(serde_json::from_str::<String>(&whole).unwrap(), String::from_utf16_lossy(&units));
        }
    }
}
