//! Opening databases and collections for commands.

use std::fs;
use std::path::Path;

use nanodb::{Collection, Database};

use crate::failure::{Failure, Result};

/// Opens a database for a command that reads: one that must be there already.
pub(crate) fn open_existing(path: &Path) -> Result<Database> {
    let refuse = |why| Failure::NoDatabase { path: path.to_owned(), why };
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(refuse("this is a directory")),
        // Opening would make a database of it, which is not for a command that reads.
        Ok(metadata) if metadata.is_file() && metadata.len() == 0 => {
            Err(refuse("the file is empty, not a database"))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(refuse("there is no such file"))
        }
        // What else may be wrong is told better by opening it.
        _ => Ok(Database::options().create(false).open(path)?),
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
