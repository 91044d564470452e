//! The page.

/// What `npm run build` makes of `page/src`: one file that needs no other.
pub(crate) const PAGE: &str = include_str!("../page/dist/index.html");
