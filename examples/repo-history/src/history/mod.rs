//! Where a history comes from.

pub(crate) mod file;
pub(crate) mod git;

use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use livestore::Timestamp;

use crate::model::{ChangeKind, CommitRecorded, FileChange};

/// Commits, oldest first. At its end, ask again later for those made since. An error is the last
/// item worth reading.
pub(crate) type History = Box<dyn Iterator<Item = Result<CommitRecorded>> + Send>;

/// A bar on stderr, none where that is no terminal. It goes when its last handle is dropped. Who
/// watches sees the report grow instead.
fn progress_bar(total: u64, watch: bool) -> Result<ProgressBar> {
    let style = ProgressStyle::with_template("{wide_bar} {percent:>3} %, {eta} left")?;
    Ok(if watch { ProgressBar::hidden() } else { ProgressBar::new(total).with_style(style) })
}

/// The time of a commit, which git counts in seconds.
fn time(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds.saturating_mul(1_000))
}

/// Reads a change as git has it: a status letter, then the path; of a rename or a copy, the old
/// path and the new one.
fn file_change(status: &str, mut path: impl FnMut() -> Result<String>) -> Result<FileChange> {
    let kind = change_kind(status)?;
    let has_two = matches!(kind, ChangeKind::Renamed | ChangeKind::Copied);
    let previous_path = has_two.then(&mut path).transpose()?;
    Ok(FileChange { kind, path: path()?, previous_path })
}

/// The letter may be followed by a number: `R087` is a rename with 87 % of the lines unchanged.
fn change_kind(status: &str) -> Result<ChangeKind> {
    Ok(match status.chars().next() {
        Some('A') => ChangeKind::Added,
        Some('M') => ChangeKind::Modified,
        Some('D') => ChangeKind::Deleted,
        Some('R') => ChangeKind::Renamed,
        Some('C') => ChangeKind::Copied,
        Some('T') => ChangeKind::TypeChanged,
        _ => bail!("\"{status}\" is no status of a changed file"),
    })
}
