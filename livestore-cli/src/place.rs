//! Which store is meant.

use std::path::{Path, PathBuf};

use clap::Args;
use livestore::inspect::{Folder, folder_of, folders};

use crate::exit::{Exit, Failure, Result};

/// A store in a directory.
#[derive(Debug, Clone, Args)]
pub(crate) struct Place {
    /// The folder of a store, or a directory with the folders of stores.
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) directory: PathBuf,
    /// The id of the store; it may be left out if the directory has one store only.
    #[arg(value_name = "STORE")]
    pub(crate) store: Option<String>,
}

impl Place {
    /// Opens the folder of the store that is meant, to read it.
    pub(crate) fn open(&self) -> Result<Folder> {
        let path = self.folder()?;
        let folder = Folder::open(&path)?;
        match &self.store {
            Some(store) if store != folder.store_id() => {
                let found = folder.store_id();
                let message = format!(
                    "{} is the folder of the store {found:?}, not of {store:?}",
                    path.display()
                );
                Err(Failure::new(Exit::NotFound, message))
            }
            _ => Ok(folder),
        }
    }

    /// The folders of all stores that may be meant.
    pub(crate) fn all(&self) -> Result<Vec<PathBuf>> {
        match &self.store {
            Some(_) => Ok(vec![self.folder()?]),
            None => found(&self.directory),
        }
    }

    /// The folder of the store that is meant.
    pub(crate) fn folder(&self) -> Result<PathBuf> {
        let all = found(&self.directory)?;
        if let Some(store) = &self.store {
            let folder = folder_of(&self.directory, store);
            let is_meant = |path: &&PathBuf| {
                **path == folder || path.file_name().is_some_and(|name| *name == **store)
            };
            let is_itself = all.first().is_some_and(|path| *path == self.directory);
            return match all.iter().find(is_meant) {
                Some(folder) => Ok(folder.clone()),
                None if is_itself => Ok(self.directory.clone()),
                None => {
                    let message = format!(
                        "there is no store {store:?} in {}{}",
                        self.directory.display(),
                        listed(&all)
                    );
                    Err(Failure::new(Exit::NotFound, message))
                }
            };
        }
        match all.as_slice() {
            [one] => Ok(one.clone()),
            [] => Err(Failure::new(
                Exit::NotFound,
                format!("there is no store in {}", self.directory.display()),
            )),
            all => {
                let directory = self.directory.display();
                Err(Failure::usage(format!(
                    "say which store in {directory} is meant{}",
                    listed(all)
                )))
            }
        }
    }

    /// The directory and id of a store that need not be there: `found` is what a file says.
    pub(crate) fn target(&self, found: Option<&str>) -> Result<(PathBuf, String)> {
        let is_folder = folders(&self.directory).is_ok_and(|all| all.contains(&self.directory));
        if is_folder {
            let folder = self.open()?;
            let directory = folder.path().parent().unwrap_or(Path::new("/")).to_owned();
            return Ok((directory, folder.store_id().to_owned()));
        }
        match self.store.as_deref().or(found) {
            Some(store) => Ok((self.directory.clone(), store.to_owned())),
            None => {
                let folder = self.open()?;
                Ok((self.directory.clone(), folder.store_id().to_owned()))
            }
        }
    }
}

fn found(directory: &Path) -> Result<Vec<PathBuf>> {
    folders(directory).map_err(|error| {
        let exit = match error.kind() {
            std::io::ErrorKind::NotFound => Exit::NotFound,
            _ => Exit::Failed,
        };
        Failure::new(exit, format!("{}: {error}", directory.display()))
    })
}

fn listed(folders: &[PathBuf]) -> String {
    let names = folders.iter().filter_map(|path| path.file_name());
    let names: Vec<_> = names.map(|name| name.to_string_lossy()).collect();
    if names.is_empty() { String::new() } else { format!("; there is {}", names.join(", ")) }
}
