//! Keeps the schemas that this compiler process has met.
//!
//! Every `sql!` is handed all tables of its schema. They are read once, and one database has them.

use std::cell::RefCell;
use std::rc::Rc;

use proc_macro2::Literal;
use quote::ToTokens as _;
use syn::LitStr;

use super::catalog::Catalog;
use super::constant::Constant;
#[cfg(feature = "checked-sql")]
use super::prepare::{Database, PrepareError};
use super::table_tokens;

/// A schema, ready to check statements against.
pub(crate) struct SqlSchema {
    /// The literal that its tables came in.
    literal: String,
    pub(crate) catalog: Catalog,
    #[cfg(feature = "checked-sql")]
    pub(crate) database: Result<Database, PrepareError>,
}

/// The number of schemas that are kept; a crate rarely has more than one.
const MAX_SCHEMAS: usize = 8;

thread_local! {
    static SCHEMAS: RefCell<Vec<Rc<SqlSchema>>> = const { RefCell::new(Vec::new()) };
}

/// Returns the schema with these tables, whose tokens are packed into a literal.
pub(crate) fn schema(tables: &Literal) -> syn::Result<Rc<SqlSchema>> {
    let literal = tables.to_string();
    SCHEMAS.with_borrow_mut(|schemas| {
        if let Some(schema) = schemas.iter().find(|schema| schema.literal == literal) {
            return Ok(Rc::clone(schema));
        }
        let schema = Rc::new(SqlSchema::read(tables, literal)?);
        if schemas.len() == MAX_SCHEMAS {
            // The oldest.
            schemas.remove(0);
        }
        schemas.push(Rc::clone(&schema));
        Ok(schema)
    })
}

impl SqlSchema {
    /// Computes a constant expression, if that is possible.
    #[cfg(feature = "checked-sql")]
    pub(crate) fn constant(&self, expr: &str) -> Option<Constant> {
        self.database.as_ref().ok()?.constant(expr)
    }

    /// Computes a literal.
    #[cfg(not(feature = "checked-sql"))]
    #[expect(clippy::unused_self, reason = "the same signature as with SQLite")]
    pub(crate) fn constant(&self, expr: &str) -> Option<Constant> {
        super::constant::of_literal(expr)
    }

    fn read(tables: &Literal, literal: String) -> syn::Result<Self> {
        let tables: LitStr = syn::parse2(tables.to_token_stream())?;
        let catalog = table_tokens::read(tables.parse()?)?;
        Ok(Self {
            literal,
            #[cfg(feature = "checked-sql")]
            database: Database::open(&catalog.ddl()),
            catalog,
        })
    }
}
