//! Rows that changed, with their values.

use crate::schema::SchemaDef;
use crate::sqlite::{Change, Image, Rows};
use crate::value::Value;

/// A row before and after an event.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RowChange {
    /// The table.
    pub table: &'static str,
    /// The values before, in the order of the table's columns; `None` if there was no such row.
    pub before: Option<Vec<Value<'static>>>,
    /// The values after; `None` if the row is gone.
    pub after: Option<Vec<Value<'static>>>,
}

impl RowChange {
    /// `None` if it is not known which rows changed.
    pub(in crate::store) fn all(changes: &[Change], schema: &SchemaDef) -> Option<Vec<Self>> {
        let values = |image: &Option<Image>| image.as_ref().map(|image| image.values.to_vec());
        let change = |change: &Change| match &change.rows {
            Rows::One { old, new } => Some(Self {
                table: schema.tables().nth(change.table)?.name(),
                before: values(old),
                after: values(new),
            }),
            Rows::Unknown => None,
        };
        changes.iter().map(change).collect()
    }
}
