//! The report about a store, as text and as JSON.

use std::io::{self, Write};

use indicatif::HumanCount;
use livestore::Result;
use livestore::live::{Computed, List};
use livestore::prelude::*;

use crate::model::{Author, Commit, File, RepoHistory};

/// How long the lists are.
const TOP: u64 = 10;

#[derive(PartialEq, Serialize)]
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
    /// A report that follows the store. What the store has by now is not new.
    pub(crate) fn live(store: &Store<RepoHistory>) -> Result<Computed<Self>> {
        // The second order decides between equals, so that the same history reads the same.
        let most_changed = File::all().order_by(File::CHANGES.desc()).order_by(File::PATH.asc());
        let busiest = Author::all().order_by(Author::COMMITS.desc()).order_by(Author::NAME.asc());
        let most_changed = store.live(most_changed.limit(TOP))?;
        let busiest = store.live(busiest.limit(TOP))?;
        let totals = store.live(Commit::all().select((count(), Commit::CHANGES.sum())).one())?;
        let before = totals.get().0;
        let files = store.live(File::all().count())?;
        let authors = store.live(Author::all().count())?;
        Ok(computed(move |get| {
            let (commits, file_changes) = **get.of(&totals);
            Self {
                new: commits - before,
                commits,
                file_changes,
                files: **get.of(&files),
                authors: **get.of(&authors),
                most_changed_files: rows(&get.of(&most_changed)),
                busiest_authors: rows(&get.of(&busiest)),
            }
        }))
    }

    pub(crate) fn print(&self, json: bool) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if json {
            serde_json::to_writer(&mut out, self)?;
            return writeln!(out);
        }
        let (commits, new) = (human(self.commits), human(self.new));
        let (files, authors) = (human(self.files), human(self.authors));
        let changes = human(self.file_changes.unsigned_abs());
        writeln!(out, "{commits} commits, {new} of them new")?;
        writeln!(out, "{changes} changes of {files} files by {authors} authors")?;
        writeln!(out, "\nMost changed files")?;
        for file in &self.most_changed_files {
            writeln!(out, "{:>8}  {}", human(file.changes), file.path)?;
        }
        writeln!(out, "\nBusiest authors")?;
        for author in &self.busiest_authors {
            let (commits, changes) = (human(author.commits), human(author.changes));
            writeln!(out, "{commits:>8}  {} ({changes} file changes)", author.name)?;
        }
        Ok(())
    }
}

fn rows<T: Clone>(list: &List<T>) -> Vec<T> {
    list.iter().map(|row| T::clone(row)).collect()
}

fn human(n: impl Into<u64>) -> String {
    HumanCount(n.into()).to_string()
}
