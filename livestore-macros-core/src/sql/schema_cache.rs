//! Keeps the schemas that this compiler process has met.
//!
//! Every `sql!` is handed all tables of its schema. They are read once, and one database has them.

use std::cell::RefCell;
use std::rc::Rc;

use proc_macro2::TokenStream;

use super::catalog::Catalog;
#[cfg(feature = "checked-sql")]
use super::prepare::{Database, PrepareError};
use super::table_tokens;

/// A schema, ready to check statements against.
pub(crate) struct SqlSchema {
    /// Equal only for schemas whose tables are equal.
    fingerprint: String,
    pub(crate) catalog: Catalog,
    #[cfg(feature = "checked-sql")]
    pub(crate) database: Result<Database, PrepareError>,
}

/// The number of schemas that are kept; a crate rarely has more than one.
const MAX_SCHEMAS: usize = 8;

thread_local! {
    static SCHEMAS: RefCell<Vec<Rc<SqlSchema>>> = const { RefCell::new(Vec::new()) };
}

/// Returns the schema with this fingerprint; reads `tables` if it is new.
pub(crate) fn schema(
    fingerprint: &str,
    tables: impl FnOnce() -> TokenStream,
) -> syn::Result<Rc<SqlSchema>> {
    SCHEMAS.with_borrow_mut(|schemas| {
        if let Some(schema) = schemas.iter().find(|schema| schema.fingerprint == fingerprint) {
            return Ok(Rc::clone(schema));
        }
        let schema = Rc::new(SqlSchema::read(fingerprint, tables())?);
        if schemas.len() == MAX_SCHEMAS {
            // The oldest.
            schemas.remove(0);
        }
        schemas.push(Rc::clone(&schema));
        Ok(schema)
    })
}

impl SqlSchema {
    fn read(fingerprint: &str, tables: TokenStream) -> syn::Result<Self> {
        let catalog = table_tokens::read(tables)?;
        Ok(Self {
            fingerprint: fingerprint.to_owned(),
            #[cfg(feature = "checked-sql")]
            database: Database::open(&catalog.ddl()),
            catalog,
        })
    }
}
