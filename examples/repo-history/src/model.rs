//! The events, the tables, and the materializers between them.

use livestore::prelude::*;

/// A commit was made.
///
/// One event for a commit with all its file changes, and not one for each change: they happened
/// together, and an event is what is applied as a whole.
#[derive(Event, Debug)]
#[event(name = "v1.CommitRecorded")]
#[serde(rename_all = "camelCase")]
pub(crate) struct CommitRecorded {
    pub(crate) hash: String,
    pub(crate) author: String,
    pub(crate) committed_at: Timestamp,
    pub(crate) files: Vec<FileChange>,
}

/// A commit's change to a file. Like any serde type, it can be an event's arg.
#[derive(Debug, Serialize, Deserialize, Shape)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FileChange {
    pub(crate) kind: ChangeKind,
    pub(crate) path: String,
    /// Of a rename or a copy. No table needs it yet; an event keeps what one may need later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) previous_path: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Shape)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ChangeKind {
    Added,
    Modified,
    Deleted,
    Renamed,
    Copied,
    TypeChanged,
}

#[table(name = "commits")]
pub(crate) struct Commit {
    #[column(primary_key)]
    pub(crate) hash: String,
    pub(crate) author: String,
    pub(crate) committed_at: Timestamp,
    pub(crate) changes: u32,
}

/// A path that commits changed. A renamed file is counted under its new path from then on.
#[table(name = "files")]
#[derive(Clone, PartialEq, Serialize)]
pub(crate) struct File {
    #[column(primary_key)]
    pub(crate) path: String,
    pub(crate) changes: u32,
}

#[table(name = "authors")]
#[derive(Clone, PartialEq, Serialize)]
pub(crate) struct Author {
    #[column(primary_key)]
    pub(crate) name: String,
    pub(crate) commits: u32,
    pub(crate) changes: u32,
}

livestore::schema! {
    pub(crate) RepoHistory { tables: [Commit, File, Author], events: [CommitRecorded] }
}

impl Materialize for CommitRecorded {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        let changes = u32::try_from(self.files.len()).map_err(MaterializeError::custom)?;
        state.insert(&Commit {
            hash: self.hash.clone(),
            author: self.author.clone(),
            committed_at: self.committed_at,
            changes,
        })?;
        count_author(state, &self.author, changes)?;
        self.files.iter().try_for_each(|file| count_file(state, &file.path))
    }
}

fn count_author(state: &mut Writer<'_>, name: &str, changes: u32) -> Result<(), MaterializeError> {
    state.insert_or_ignore(&Author { name: name.to_owned(), commits: 0, changes: 0 })?;
    state.run(
        Author::update()
            .add(Author::COMMITS, 1)
            .add(Author::CHANGES, changes)
            .filter(Author::NAME.eq(name)),
    )
}

fn count_file(state: &mut Writer<'_>, path: &str) -> Result<(), MaterializeError> {
    state.insert_or_ignore(&File { path: path.to_owned(), changes: 0 })?;
    state.run(File::update().add(File::CHANGES, 1).filter(File::PATH.eq(path)))
}
