//! What the store knows, for people and for machines.

use std::io::{self, Write};

use indicatif::HumanCount;
use livestore::prelude::*;

use crate::model::{Author, Commit, File, RepoHistory};

/// How long the lists are.
const TOP: u64 = 10;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    new: u64,
    commits: u64,
    file_changes: i64,
    files: u64,
    authors: u64,
    most_changed_files: Vec<File>,
    busiest_authors: Vec<Author>,
}

impl Report {
    pub(crate) fn read(store: &Store<RepoHistory>, new: u64) -> Result<Self, QueryError> {
        // The second order decides between equals, so that the same history reads the same.
        let most_changed = File::all().order_by(File::CHANGES.desc()).order_by(File::PATH.asc());
        let busiest = Author::all().order_by(Author::COMMITS.desc()).order_by(Author::NAME.asc());
        Ok(Self {
            new,
            commits: store.query(Commit::all().count())?,
            file_changes: store.query(Commit::all().select(Commit::CHANGES.sum()).one())?,
            files: store.query(File::all().count())?,
            authors: store.query(Author::all().count())?,
            most_changed_files: store.query(most_changed.limit(TOP))?,
            busiest_authors: store.query(busiest.limit(TOP))?,
        })
    }

    pub(crate) fn print(&self, json: bool) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if json {
            serde_json::to_writer(&mut out, self)?;
            return writeln!(out);
        }
        let (commits, new) = (count(self.commits), count(self.new));
        let (files, authors) = (count(self.files), count(self.authors));
        let changes = count(self.file_changes.unsigned_abs());
        writeln!(out, "{commits} commits, {new} of them new")?;
        writeln!(out, "{changes} changes of {files} files by {authors} authors")?;
        writeln!(out, "\nMost changed files")?;
        for file in &self.most_changed_files {
            writeln!(out, "{:>8}  {}", count(file.changes), file.path)?;
        }
        writeln!(out, "\nBusiest authors")?;
        for author in &self.busiest_authors {
            let (commits, changes) = (count(author.commits), count(author.changes));
            writeln!(out, "{commits:>8}  {} ({changes} file changes)", author.name)?;
        }
        Ok(())
    }
}

fn count(n: impl Into<u64>) -> String {
    HumanCount(n.into()).to_string()
}
