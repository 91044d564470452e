//! SQL functions for what SQL cannot say. Only the SQL of this crate calls them.

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;

use super::SqliteError;

/// `(text, folded)`: whether the text, [folded](fold), has the other text in it.
pub(crate) const CONTAINS_TEXT: &str = "livestore_contains_text";

/// `(integer)`: the real with these bits.
pub(crate) const REAL_OF_BITS: &str = "livestore_real_of_bits";

pub(super) fn install(conn: &Connection) -> Result<(), SqliteError> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    conn.create_scalar_function(CONTAINS_TEXT, 2, flags, contains_text)?;
    conn.create_scalar_function(REAL_OF_BITS, 1, flags, |context| {
        Ok(f64::from_bits(context.get::<i64>(0)?.cast_unsigned()))
    })?;
    Ok(())
}

fn contains_text(context: &Context<'_>) -> rusqlite::Result<Option<bool>> {
    let ValueRef::Text(text) = context.get_raw(0) else { return Ok(None) };
    let folded = context.get_raw(1).as_str()?;
    Ok(Some(contains_folded(&String::from_utf8_lossy(text), folded)))
}

/// The text without differences of case: what is alike but for its case is alike when folded.
pub(crate) fn fold(text: &str) -> String {
    // In both directions: `ß` is `SS` in upper case, and `Σ` has two forms in lower case.
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// Whether the text, folded, has `folded` in it.
pub(crate) fn contains_folded(text: &str, folded: &str) -> bool {
    folded.is_empty() || fold(text).contains(folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_folded_beyond_ascii() {
        for (text, part) in [("ÄRGER", "ärger"), ("Straße", "STRASSE"), ("ὈΔΥΣΣΕΎΣ", "ὀδυσσεύς")]
        {
            assert!(contains_folded(text, &fold(part)), "{text} {part}");
        }
        assert!(contains_folded("", "") && !contains_folded("", "a"));
    }
}
