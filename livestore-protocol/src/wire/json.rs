//! Writing JSON, and the shapes that Effect's schemas give to optional values.

use std::borrow::Cow;
use std::fmt::{self, Display, Write};

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// Appends `text` as a JSON string.
pub(super) fn write_str(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(must_escape) {
        let (plain, tail) = rest.split_at(at);
        out.push_str(plain);
        rest = write_escaped(tail, out);
    }
    out.push_str(rest);
    out.push('"');
}

/// Appends the first character of `text` escaped, and returns what is after it.
fn write_escaped<'a>(text: &'a str, out: &mut String) -> &'a str {
    let mut chars = text.chars();
    match chars.next() {
        Some('"') => out.push_str("\\\""),
        Some('\\') => out.push_str("\\\\"),
        Some('\n') => out.push_str("\\n"),
        Some('\r') => out.push_str("\\r"),
        Some('\t') => out.push_str("\\t"),
        Some(other) => append(out, format_args!("\\u{:04x}", u32::from(other))),
        None => {}
    }
    chars.as_str()
}

/// The length of what [`write_str`] appends.
pub(crate) fn str_size(text: &str) -> usize {
    2 + text.len() + text.bytes().filter(|&byte| must_escape(byte)).map(growth).sum::<usize>()
}

fn growth(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 1,
        _ => 5,
    }
}

fn must_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Appends what needs neither quotes nor escapes: a number, a time.
pub(super) fn write_plain(number: impl Display, out: &mut String) {
    append(out, format_args!("{number}"));
}

fn append(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a `String` cannot fail.
    let _ = out.write_fmt(text);
}

/// Appends an optional value; `write` appends the value itself.
pub(super) fn write_option<T>(value: Option<T>, out: &mut String, write: impl Fn(T, &mut String)) {
    match value {
        None => out.push_str(r#"{"_tag":"None"}"#),
        Some(value) => {
            out.push_str(r#"{"_tag":"Some","value":"#);
            write(value, out);
            out.push('}');
        }
    }
}

/// An optional value, to read.
#[derive(Deserialize)]
#[serde(try_from = "Tagged<T>", bound(deserialize = "T: Deserialize<'de>"))]
pub(super) struct Maybe<T>(pub(super) Option<T>);

#[derive(Deserialize)]
struct Tagged<T> {
    #[serde(rename = "_tag")]
    tag: Tag,
    value: Option<T>,
}

#[derive(Deserialize)]
enum Tag {
    None,
    Some,
}

impl<T> TryFrom<Tagged<T>> for Maybe<T> {
    type Error = &'static str;

    fn try_from(tagged: Tagged<T>) -> Result<Self, &'static str> {
        match (tagged.tag, tagged.value) {
            (Tag::None, _) => Ok(Self(None)),
            (Tag::Some, Some(value)) => Ok(Self(Some(value))),
            (Tag::Some, None) => Err("missing field `value` of `Some`"),
        }
    }
}

/// Reads a field that is there, whatever it is: for an [`Option`], `null` would be the same as nothing.
pub(super) fn present<'de: 'a, 'a, D: Deserializer<'de>>(
    field: D,
) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(field).map(Some)
}

/// A whole number, to read. A peer may write `1000` as `1e3` or `1000.0`: for JSON, and in
/// JavaScript, that is the same number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whole(pub(super) u64);

/// Up to here, a floating-point number stands for one integer only.
const MAX_EXACT: f64 = 9_007_199_254_740_991.0;

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeVisitor)
    }
}

pub(super) struct WholeVisitor;

impl Visitor<'_> for WholeVisitor {
    type Value = Whole;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number that is not negative")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Whole, E> {
        Ok(Whole(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Whole, E> {
        let invalid = || E::invalid_value(Unexpected::Signed(number), &self);
        u64::try_from(number).map(Whole).map_err(|_| invalid())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Whole, E> {
        if number.fract() != 0.0 || !(0.0..=MAX_EXACT).contains(&number) {
            return Err(E::invalid_value(Unexpected::Float(number), &self));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is whole, and in the range of integers"
        )]
        Ok(Whole(number as u64))
    }
}

/// Text that is borrowed where it holds no escapes.
pub(super) type Text<'a> = Cow<'a, str>;

/// Whether the arrays and objects of `json`, which is valid, nest deeper than `limit`.
pub(crate) fn deeper_than(limit: usize, json: &str) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > limit {
            return true;
        }
    }
    false
}

/// A value for people: a string without its quotes, an error's message, anything else as JSON.
pub(super) fn plain(raw: Option<&RawValue>) -> String {
    let text = raw.map_or("null", RawValue::get);
    serde_json::from_str::<Value>(text)
        .map_or_else(|_| text.to_owned(), |value| plain_value(&value))
}

/// See [`plain`].
pub(super) fn plain_value(value: &Value) -> String {
    match value.get("message").unwrap_or(value) {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
