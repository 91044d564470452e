//! Parses tokens into an intermediate form per macro. Parsers record mistakes in the `Ctxt` and still
//! return a value, so that a stub can be expanded.

pub(crate) mod client_document;
pub(crate) mod column;
pub(crate) mod column_type;
pub(crate) mod command;
pub(crate) mod event;
pub(crate) mod event_fields;
pub(crate) mod index;
pub(crate) mod names;
pub(crate) mod nested;
pub(crate) mod row;
pub(crate) mod schema;
pub(crate) mod table;
pub(crate) mod upcast;
