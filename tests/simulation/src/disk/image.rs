//! A copy of files, apart from any disk.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Files by their path in the folder that was copied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image(pub BTreeMap<PathBuf, Vec<u8>>);
