//! Opening databases and collections for commands.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nanodb::{Collection, Database, Options};

use crate::failure::{Failure, Result};

/// How commands open databases.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opener {
    /// How long to wait for others to close it.
    pub(crate) wait: Duration,
}

impl Opener {
    /// Opens a database for a command that only reads. It must exist; nothing is written to it or
    /// next to it.
    pub(crate) fn read(self, path: &Path) -> Result<Database> {
        self.existing(path, Database::options().read_only(true))
    }

    /// Opens an existing database for a command that changes it.
    pub(crate) fn change(self, path: &Path) -> Result<Database> {
        self.existing(path, Database::options().create(false))
    }

    /// Opens a database, or creates it if it does not exist.
    pub(crate) fn make(self, path: &Path) -> Result<Database> {
        Ok(Database::options().lock_timeout(self.wait).open(path)?)
    }

    fn existing(self, path: &Path, options: Options) -> Result<Database> {
        let refuse = |why| Failure::NoDatabase { path: path.to_owned(), why };
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Err(refuse("this is a directory")),
            // Opening an empty file would make a database of it.
            Ok(metadata) if metadata.is_file() && metadata.len() == 0 => {
                Err(refuse("the file is empty, not a database"))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(refuse("there is no such file"))
            }
            // Opening it gives a better message for other problems.
            _ => Ok(options.lock_timeout(self.wait).open(path)?),
        }
    }
}

/// A file that does not exist before a command makes it.
#[derive(Debug)]
pub(crate) struct NewFile {
    /// `None` if something is there already.
    path: Option<PathBuf>,
}

impl NewFile {
    /// Looks whether the command is going to make the file.
    pub(crate) fn watch(path: &Path) -> Self {
        let is_new = fs::symlink_metadata(path).is_err_and(|e| e.kind() == ErrorKind::NotFound);
        Self { path: is_new.then(|| path.to_owned()) }
    }

    /// Removes the database again if the command has made it and it has no collections.
    ///
    /// It is opened for that, so nobody writes to it meanwhile; if somebody already does, it stays.
    /// Whoever waits for it opens what is there then.
    pub(crate) fn remove_if_empty(&self) {
        let Some(path) = &self.path else { return };
        let Ok(database) = Database::options().read_only(true).open(path) else { return };
        if database.collections().is_ok_and(|collections| collections.is_empty()) {
            // A clean close has left nothing beside it; the file goes last, as what is beside it is
            // nothing without it. The failure that led here is what counts.
            for suffix in ["-log0", "-log1", "-dwb", ""] {
                let mut name = path.clone().into_os_string();
                name.push(suffix);
                let _ = fs::remove_file(name);
            }
        }
    }
}

/// Returns a collection, which must exist: reading one that was never created would find nothing,
/// which hides a mistyped name.
pub(crate) fn existing_collection(database: &Database, name: &str) -> Result<Collection> {
    let others: Vec<String> =
        database.collections()?.into_iter().map(|collection| collection.name).collect();
    if others.iter().any(|other| other == name) {
        return Ok(database.collection(name));
    }
    Err(Failure::NoCollection { name: name.to_owned(), others })
}
