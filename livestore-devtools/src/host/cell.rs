//! Values of columns, from and to what the page shows.

use base64::Engine as _;
use livestore::value::Value;

use super::Refused;
use crate::protocol::{Cell, RefusalCode};

/// JavaScript holds integers exactly up to here.
const MAX_SAFE: u64 = 1 << 53;

/// The bytes of a text up to which all of it is shown, and those of longer ones.
const MAX_TEXT: usize = 2_000;

/// The bytes of a blob that are shown.
const MAX_BLOB: usize = 64;

/// How much of a value is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// The start of long values.
    Start,
    /// All of it, as what identifies a row must be.
    Whole,
}

pub(super) fn cell(value: &Value<'_>, detail: Detail) -> Cell {
    match value {
        Value::Null => Cell::Null,
        Value::Integer(integer) if integer.unsigned_abs() <= MAX_SAFE => Cell::Integer(*integer),
        Value::Integer(integer) => Cell::LongInteger { integer: integer.to_string() },
        Value::Real(real) if real.is_finite() && real.fract() != 0.0 => Cell::Real(*real),
        Value::Real(real) => Cell::OtherReal { real: format!("{real:?}") },
        Value::Text(text) if detail == Detail::Start && text.len() > MAX_TEXT => {
            Cell::LongText { text: start_of(text, MAX_TEXT).to_owned(), length: text.len() }
        }
        Value::Text(text) => Cell::Text(text.clone().into_owned()),
        Value::Blob(bytes) => {
            let shown = match detail {
                Detail::Start => bytes.get(..MAX_BLOB).unwrap_or(bytes),
                Detail::Whole => bytes,
            };
            Cell::Blob { blob: hexadecimal(shown), length: bytes.len() }
        }
    }
}

pub(super) fn cells(values: &[Value<'_>]) -> Vec<Cell> {
    values.iter().map(|value| cell(value, Detail::Start)).collect()
}

/// The value that a cell of the page's stands for.
pub(super) fn value(cell: &Cell) -> Result<Value<'static>, Refused> {
    let refused =
        || Refused::new(RefusalCode::BadCall, "this value is not whole, so it is not compared");
    Ok(match cell {
        Cell::Null => Value::Null,
        Cell::Integer(integer) => Value::Integer(*integer),
        Cell::Real(real) => Value::Real(*real),
        Cell::Text(text) => Value::text(text.clone()),
        Cell::LongInteger { integer } => Value::Integer(integer.parse().map_err(|_| refused())?),
        Cell::OtherReal { real } => Value::Real(real.parse().map_err(|_| refused())?),
        Cell::LongText { .. } => return Err(refused()),
        Cell::Blob { blob, length } => {
            let bytes = bytes_of(blob).filter(|bytes| bytes.len() == *length);
            Value::blob(bytes.ok_or_else(refused)?)
        }
    })
}

/// The start of a text, of at most `max` bytes.
pub(super) fn start_of(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or(text)
}

pub(super) fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes_of(hexadecimal: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<_>> = hexadecimal.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits?;
    let pairs = digits.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs
        .map(|pair| {
            pair.iter()
                .try_fold(0, |byte, digit| u8::try_from(byte * 16 + digit).ok().map(u32::from))
        })
        .map(|byte| byte.and_then(|byte| u8::try_from(byte).ok()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back_as_it_was() {
        let all = [
            Value::Null,
            Value::Integer(0),
            Value::Integer(-(1 << 53)),
            Value::Integer(i64::MIN),
            Value::Integer(i64::MAX),
            Value::Real(0.5),
            Value::Real(2.0),
            Value::Real(-0.0),
            Value::Real(f64::INFINITY),
            Value::Real(f64::MIN_POSITIVE),
            Value::text("12"),
            Value::text("ä\u{0}\"<img>"),
            Value::text("x".repeat(5_000)),
            Value::blob(vec![0_u8, 255, 16]),
            Value::blob(vec![7_u8; 500]),
        ];
        for before in all {
            let json = serde_json::to_string(&cell(&before, Detail::Whole)).unwrap();
            let read: Cell = serde_json::from_str(&json).unwrap();
            let after = value(&read).unwrap();
            assert_eq!(format!("{after:?}"), format!("{before:?}"), "{json}");
        }
    }

    #[test]
    fn what_is_shown_in_part_is_not_taken_for_the_whole() {
        for long in [Value::text("ä".repeat(5_000)), Value::blob(vec![7_u8; 500])] {
            value(&cell(&long, Detail::Start)).unwrap_err();
        }
        let Cell::LongText { text, length } = cell(&Value::text("ä".repeat(1_500)), Detail::Start)
        else {
            panic!("it is long");
        };
        assert_eq!((text.len(), length), (2_000, 3_000));
    }
}
