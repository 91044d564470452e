//! A folder of Markdown notes that is synced between machines, and can be edited in any editor, offline too.

#![allow(missing_docs, reason = "an app has no API")]

pub mod files;
pub mod model;
