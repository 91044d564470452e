//! Values that are known while compiling.

/// The value of a constant expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Constant {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
}

/// Computes a literal, where SQLite cannot be asked.
#[cfg(not(feature = "checked-sql"))]
pub(crate) fn of_literal(sql: &str) -> Option<Constant> {
    let sql = sql.trim();
    if sql.eq_ignore_ascii_case("null") {
        return Some(Constant::Null);
    }
    let text = sql.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    match (text, sql.parse::<i64>(), sql.parse::<f64>()) {
        (Some(text), ..) if !text.replace("''", "").contains('\'') => {
            Some(Constant::Text(text.replace("''", "'")))
        }
        (_, Ok(integer), _) => Some(Constant::Integer(integer)),
        (_, _, Ok(real)) if sql.contains(|c: char| c.is_ascii_digit()) => {
            Some(Constant::Real(real))
        }
        _ => None,
    }
}
