//! For a fuzzer: a statement as this crate reads it, and as SQLite does.

use proc_macro2::Literal;

use super::infer::infer;
use super::known::{self, SEPARATOR};
use super::{parse, token, told};

/// What a statement is.
#[derive(Debug, PartialEq, Eq)]
pub struct Reading {
    /// Not a query.
    pub is_write: bool,
    /// How many columns its rows have.
    pub columns: usize,
    /// How many binds it takes.
    pub params: usize,
}

/// Our reading and SQLite's; `None` where the statement is refused. Each is asked, whatever the
/// other says. `ddl` is what the macros write, table by table.
pub fn sql_readings(ddl: &[&str], sql: &str) -> (Option<Reading>, Option<Reading>) {
    let ddl = Literal::string(&ddl.join(&SEPARATOR.to_string()));
    let (Ok(known), Ok((plain, _))) = (known::schema(&ddl), told::take(sql)) else {
        return (None, None);
    };
    assert_eq!(plain.len(), sql.len(), "{plain}");
    let ours = parse::parse(&token::tokens(&plain)).ok().map(|parsed| {
        let inferred = infer(&known.catalog, &parsed);
        let columns = inferred.outputs.as_ref().map(Vec::len);
        Reading {
            is_write: columns.is_none(),
            columns: columns.unwrap_or_default(),
            params: parsed.params,
        }
    });
    let checked = known.database.as_ref().ok().and_then(|database| database.check(&plain).ok());
    let sqlites = checked.map(|checked| Reading {
        is_write: checked.is_write,
        columns: checked.columns,
        params: checked.params,
    });
    (ours, sqlites)
}
