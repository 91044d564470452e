//! The schemas that this run of the compiler has met.
//!
//! Every `sql!` is handed the DDL of all tables; it is read once, and one database holds them.

use std::cell::RefCell;
use std::rc::Rc;

use proc_macro2::Literal;
use quote::ToTokens as _;
use syn::LitStr;

use super::catalog::Catalog;
#[cfg(feature = "checked-sql")]
use super::check::{Database, Refused};

/// A schema.
pub(crate) struct Known {
    /// Its DDL as a token.
    token: String,
    pub(crate) catalog: Catalog,
    #[cfg(feature = "checked-sql")]
    pub(crate) database: Result<Database, Refused>,
}

/// Between the DDL of two tables.
pub(crate) const SEPARATOR: char = '\u{1e}';

/// More than a crate has.
const MOST: usize = 8;

thread_local! {
    static KNOWN: RefCell<Vec<Rc<Known>>> = const { RefCell::new(Vec::new()) };
}

/// The schema with this DDL.
pub(crate) fn schema(ddl: &Literal) -> syn::Result<Rc<Known>> {
    let token = ddl.to_string();
    KNOWN.with_borrow_mut(|all| {
        if let Some(known) = all.iter().find(|known| known.token == token) {
            return Ok(Rc::clone(known));
        }
        let known = Rc::new(Known::read(ddl, token)?);
        // The oldest goes.
        if all.len() == MOST {
            all.remove(0);
        }
        all.push(Rc::clone(&known));
        Ok(known)
    })
}

impl Known {
    fn read(ddl: &Literal, token: String) -> syn::Result<Self> {
        let ddl: LitStr = syn::parse2(ddl.to_token_stream())?;
        let ddl = ddl.value();
        let tables: Vec<&str> = ddl.split(SEPARATOR).collect();
        Ok(Self {
            token,
            #[cfg(feature = "checked-sql")]
            database: Database::open(&tables.concat()),
            catalog: Catalog::new(tables),
        })
    }
}
