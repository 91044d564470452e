//! What a row shows, as a number.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::live::list::{Look, Row};
use crate::table::{RowError, RowReader};
use crate::value::Value;

/// Reads a row that has `width` columns, and looks at it.
pub(super) fn read<O>(
    row: &RowReader<'_>,
    width: usize,
    decode: fn(&RowReader<'_>) -> Result<O, RowError>,
) -> Result<Row<O>, RowError> {
    let look = (0..width).try_fold(0, |look, column| Ok(add(look, &row.get_ref(column)?)))?;
    Ok(Row::with_look(decode(row)?, look))
}

/// The look of a row with one more value.
fn add(look: Look, value: &Value<'_>) -> Look {
    let (kind, bytes): (u64, &[u8]) = match value {
        Value::Null => (1, &[]),
        Value::Integer(integer) => (2, &integer.to_le_bytes()),
        Value::Real(real) => (3, &real.to_le_bytes()),
        Value::Text(text) => (4, text.as_bytes()),
        Value::Blob(bytes) => (5, bytes),
    };
    xxh3_64_with_seed(bytes, look.wrapping_add(kind))
}
