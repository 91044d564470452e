//! What an app may want to show of a folder.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::disk::Done;

/// What is wrong with a folder, for the app to read.
#[derive(Debug, Default)]
pub(crate) struct Report(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// By paths of files, or keys of rows.
    problems: BTreeMap<String, String>,
    failure: Option<String>,
}

impl Report {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn problem(&self, of: &str, reason: String) {
        let before = self.inner().problems.insert(of.to_owned(), reason.clone());
        if before.as_ref() != Some(&reason) {
            tracing::warn!(of, reason, "a file and its row differ");
        }
    }

    pub(crate) fn solved(&self, of: &str) {
        self.inner().problems.remove(of);
    }

    pub(crate) fn problems(&self) -> Vec<String> {
        self.inner().problems.values().cloned().collect()
    }

    /// Forgets the problems of files that are not there any more.
    pub(crate) fn retain(&self, is_there: impl Fn(&str) -> bool) {
        self.inner().problems.retain(|of, _| is_there(of));
    }

    pub(crate) fn set_failure(&self, failure: Option<String>) {
        if let Some(failure) = &failure {
            tracing::error!(failure, "a folder is not up to date; it is tried again");
        }
        self.inner().failure = failure;
    }

    pub(crate) fn failure(&self) -> Option<String> {
        self.inner().failure.clone()
    }

    pub(crate) fn note(&self, path: &str, done: Done) {
        if let Done::Kept(kept) = done {
            tracing::warn!(path, kept, "a text that no row has is kept beside the file");
        }
    }
}
