//! Opening databases and collections for commands.

use std::fs;
use std::path::Path;
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
    /// For a command that reads alone: a database that must be there already, of which nothing is
    /// changed, nor beside it.
    pub(crate) fn read(self, path: &Path) -> Result<Database> {
        self.existing(path, Database::options().read_only(true))
    }

    /// For a command that changes what is there already.
    pub(crate) fn change(self, path: &Path) -> Result<Database> {
        self.existing(path, Database::options().create(false))
    }

    /// For a command that makes a database where there is none.
    pub(crate) fn make(self, path: &Path) -> Result<Database> {
        Ok(Database::options().lock_timeout(self.wait).open(path)?)
    }

    fn existing(self, path: &Path, options: Options) -> Result<Database> {
        let refuse = |why| Failure::NoDatabase { path: path.to_owned(), why };
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Err(refuse("this is a directory")),
            // Opening would make a database of it, which is not for such a command.
            Ok(metadata) if metadata.is_file() && metadata.len() == 0 => {
                Err(refuse("the file is empty, not a database"))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(refuse("there is no such file"))
            }
            // What else may be wrong is told better by opening it.
            _ => Ok(options.lock_timeout(self.wait).open(path)?),
        }
    }
}

/// A collection that must be there: reading one that was never made would find nothing,
/// which hides a mistyped name.
pub(crate) fn existing_collection(database: &Database, name: &str) -> Result<Collection> {
    let others: Vec<String> =
        database.collections().into_iter().map(|collection| collection.name).collect();
    if others.iter().any(|other| other == name) {
        return Ok(database.collection(name));
    }
    Err(Failure::NoCollection { name: name.to_owned(), others })
}
