//! How an app's rows are files, and what an edit of a file means.

use std::error::Error;
use std::fmt;

use livestore::schema::{HasTable, Schema};
use livestore::table::Table;
use livestore::{ErrorChain, Store};

/// How the rows of a table are files. [The crate](crate) has an example.
pub trait Mapping: Send + Sync + 'static {
    /// The schema.
    type Schema: Schema + HasTable<Self::Row>;
    /// The table.
    type Row: Table;
    /// The extension of the files, without a dot, such as `md`. Files with a different one are not read.
    const EXTENSION: &'static str;

    /// Returns the row's primary key as text.
    fn key(&self, row: &Self::Row) -> String;

    /// Returns where the file is to be: a path relative to the folder, with `/` between names, without the
    /// extension.
    ///
    /// Any text will do. What some file system does not take is replaced, and where another row has the same
    /// path, a hash of the key is added.
    fn path(&self, row: &Self::Row) -> String;

    /// Returns the text of the file. Equal rows must have equal texts.
    fn text(&self, row: &Self::Row) -> String;

    /// Commits what an edit of a file means, if anything.
    ///
    /// The file then becomes what its row says, whether or not something was committed. Where the row says already
    /// what the file does, commit nothing: an edit may be passed again if the process ended before it was noted.
    ///
    /// # Errors
    /// When the edit means nothing that can be committed, such as front matter that cannot be read. The file
    /// stays as it is, and the reason is among the [problems](crate::Folder::problems), until the file is
    /// edited again, or its row changes: then the text is kept beside it.
    fn edit(&self, store: &Store<Self::Schema>, edit: &Edit<'_>) -> Result<(), Rejected>;

    /// Returns the key in the text of a file, such as an `id` in its front matter. By it, a file that was both
    /// renamed and edited is recognized, and so are files whose folder has lost its index.
    fn key_in(&self, text: &str) -> Option<String> {
        let _ = text;
        None
    }
}

/// An edit of a file by somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Edit<'e> {
    /// There is a new file.
    Created {
        /// A key that no row has. The new row must have it: by it, the file is known to be the row's.
        key: &'e str,
        /// Its path, without the extension.
        path: &'e str,
        /// Its text.
        text: &'e str,
    },
    /// A file has another text.
    Changed {
        /// The row's key.
        key: &'e str,
        /// Its path, without the extension.
        path: &'e str,
        /// Its text.
        text: &'e str,
    },
    /// A file has another name, or is in another folder, and may have another text, too.
    Renamed {
        /// The row's key.
        key: &'e str,
        /// Its path before.
        from: &'e str,
        /// Its path, without the extension.
        path: &'e str,
        /// Its text.
        text: &'e str,
    },
    /// A file is gone. If its row is not, the file comes back.
    Removed {
        /// The row's key.
        key: &'e str,
        /// Its path, without the extension.
        path: &'e str,
    },
}

/// Why an edit cannot be committed. Any error becomes one with `?`.
#[derive(Clone, PartialEq, Eq)]
pub struct Rejected(String);

impl Rejected {
    /// Returns one with this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }

    pub(crate) fn reason(self) -> String {
        self.0
    }
}

impl<E: Error + 'static> From<E> for Rejected {
    fn from(error: E) -> Self {
        Self(ErrorChain::new(&error).to_string())
    }
}

impl fmt::Debug for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
