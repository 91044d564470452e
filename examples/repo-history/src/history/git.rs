//! A history from a git repository, by way of `git log`.

use std::io::{BufRead, BufReader, Split};
use std::iter;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::{History, file_change, progress_bar, time};
use crate::model::CommitRecorded;

/// The arguments for `git log`. They override the user's own configuration.
///
/// It answers in tokens that end with a NUL: for each commit an empty one, those of the format, and
/// for each changed file a status and its paths. A merge has no files: the commits that it merges
/// have them.
const LOG: &str = "-c log.showRoot=true log --reverse --date-order --no-show-signature \
    --diff-merges=off --find-renames --no-relative --name-status -z \
    --format=%x00%H%x00%ct%x00%aN";

/// How many commits that will be.
const COUNT: &str = "rev-list --count HEAD --";

pub(crate) fn open(repository: &Path, watch: bool) -> Result<History> {
    let total = count_commits(repository).with_context(|| repository.display().to_string())?;
    let progress = progress_bar(total, watch)?;
    let mut commits =
        Commits { repository: repository.to_owned(), range: "HEAD".to_owned(), log: None };
    Ok(Box::new(iter::from_fn(move || {
        progress.inc(1);
        commits.next().transpose()
    })))
}

fn git(repository: &Path, args: &str) -> Command {
    let mut git = Command::new("git");
    git.arg("-C").arg(repository).args(args.split_whitespace());
    git
}

/// Fails where there is no repository.
fn count_commits(repository: &Path) -> Result<u64> {
    let counted = git(repository, COUNT).output().context("git cannot be run")?;
    if !counted.status.success() {
        let said = String::from_utf8_lossy(&counted.stderr);
        bail!("git: {}", said.lines().next().unwrap_or("no reason given"));
    }
    Ok(String::from_utf8(counted.stdout)?.trim().parse()?)
}

/// The commits that HEAD has come from and, asked again at their end, those made since.
struct Commits {
    repository: PathBuf,
    /// The output that has not been parsed: it begins with the last commit.
    range: String,
    log: Option<GitLog>,
}

impl Commits {
    fn next(&mut self) -> Result<Option<CommitRecorded>> {
        let mut log = match self.log.take() {
            Some(log) => log,
            None => GitLog::start(&self.repository, &self.range)?,
        };
        let commit = log.commit()?;
        if let Some(commit) = &commit {
            self.range = format!("{}..HEAD", commit.hash);
            self.log = Some(log);
        }
        Ok(commit)
    }
}

/// A running `git log`.
struct GitLog {
    git: Child,
    tokens: Split<BufReader<ChildStdout>>,
}

impl GitLog {
    fn start(repository: &Path, range: &str) -> Result<Self> {
        let mut git = git(repository, LOG);
        let mut git = git.args([range, "--"]).stdout(Stdio::piped()).spawn()?;
        let stdout = git.stdout.take().context("git has no stdout")?;
        let mut log = Self { git, tokens: BufReader::new(stdout).split(0) };
        log.token()?; // The empty one of the first commit; that of the next ends each.
        Ok(log)
    }

    fn commit(&mut self) -> Result<Option<CommitRecorded>> {
        let Some(hash) = self.token()? else { return Ok(None) };
        let committed_at = time(self.expect()?.parse()?);
        let author = self.expect()?;
        let mut files = Vec::new();
        while let Some(status) = self.token()?.filter(|token| !token.is_empty()) {
            // The first of a commit begins a new line.
            files.push(file_change(status.trim_start(), || self.expect())?);
        }
        Ok(Some(CommitRecorded { hash, author, committed_at, files }))
    }

    fn expect(&mut self) -> Result<String> {
        self.token()?.context("git log ended within a commit")
    }

    /// The next token, with `U+FFFD` for what is not UTF-8. `None` only once git has ended well, so
    /// that no commit is cut short.
    fn token(&mut self) -> Result<Option<String>> {
        let Some(token) = self.tokens.next() else {
            let status = self.git.wait()?;
            ensure!(status.success(), "git log failed: {status}");
            return Ok(None);
        };
        Ok(Some(String::from_utf8_lossy(&token?).into_owned()))
    }
}
