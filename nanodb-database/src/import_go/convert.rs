//! A file of this library in the place of one of the Go program.
//!
//! ```text
//!                          NAME     beside it
//!                          -------  --------------------------------------------------
//! 1 import                 old      NAME.go-import, and its logs, until it is closed
//! 2 give the old file a    old      NAME.go-import, NAME.go-backup: the old file again
//!   second name, sync
//! 3 rename, sync           new      NAME.go-backup
//! ```
//!
//! # Invariants
//!
//! 1. At each moment, also after a power cut, NAME is the old file, as it was, or all of the new.
//! 2. Step 3 is taken only when both the new file and the old one's second name are on stable
//!    storage.
//! 3. Who converts holds a lock on the old file, and looks again whether it is still there once the
//!    lock is held. So a file is converted once, and what is beside it is nobody else's.
//! 4. A file that somebody else has put beside it is never written over: backups are numbered, and
//!    a file with a name that the new database needs is refused before anything is made.
//!
//! What a crash leaves of step 1 is removed by the next conversion. It goes on with a backup that
//! step 2 has left: one that is the same as the old file, byte by byte.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nanodb_collection::EngineError;
use nanodb_document::ErrorBuilder;
use nanodb_pager::{Access, Durability, FileStorage, Storage, check_names_are_free};

use super::file::{GoFile, has_magic};
use super::report::{GoImportOptions, GoImportReport};
use super::store::Checked;
use super::{failed, lock};
use crate::database::Database;
use crate::error::Result;

/// The new file's name, as long as it is not complete, behind that of the old one.
const NEW: &str = ".go-import";

/// What a crash may leave beside it.
const LEFT_BY_CRASHES: [&str; 5] =
    [".go-import-log0", ".go-import-log1", ".go-import-dwb", COPY, NEW];

/// A copy of the old file, as long as it is not complete.
const COPY: &str = ".go-import-copy";

/// The old file's second name.
const BACKUP: &str = ".go-backup";

/// So many bytes are copied or compared at once.
const CHUNK: usize = 64 << 10;

/// The result of a conversion.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct GoConversion {
    /// Where the Go program's file is now.
    pub backup: PathBuf,
    /// What was imported from it.
    pub report: GoImportReport,
}

impl Database {
    /// Puts a database in the place of a file of the Go program, with all that this has, and keeps
    /// the old file beside it; none if there is nothing to convert.
    ///
    /// The old file is found under its name with `.go-backup` behind it, or, if something is there
    /// already, `.go-backup-2` and so on. What is imported is said at
    /// [`import_go`](Self::import_go).
    ///
    /// The file is converted as a whole or not at all: if something fails, the old file stays where
    /// it is, as it was. A crash at any moment leaves the old file or the whole new one under the
    /// name; what else it leaves beside it the next call removes. Of several processes that
    /// convert a file at the same time one does. The Go program must not have it open. The disk
    /// needs room for both files.
    ///
    /// There is nothing to convert if there is no file, or one that does not begin like the Go
    /// program's, as one that was converted before: call this before each
    /// [`open`](Self::open), if the file may be an old one.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::Database;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("app.db");
    /// if let Some(done) = Database::convert_go_file(&path)? {
    ///     println!("{} documents converted", done.report.documents());
    ///     println!("the old file is {}", done.backup.display());
    /// }
    /// let db = Database::open(&path)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`import_go`](Self::import_go), but for `AlreadyExists`;
    /// [`Io`](crate::ErrorKind::Io) also if the new file cannot be made, or the old one not kept;
    /// [`Misplaced`](crate::ErrorKind::Misplaced) if a file has a name that the database needs,
    /// such as that of its log.
    /// If the last step itself fails, the syncing of the directory, the new file may be there.
    pub fn convert_go_file(path: impl AsRef<Path>) -> Result<Option<GoConversion>> {
        Self::convert_go_file_with(path, &GoImportOptions::new())
    }

    /// Converts a file as [`convert_go_file`](Self::convert_go_file) does, with options: what is
    /// damaged can be left behind, and another conversion waited for.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use std::time::Duration;
    ///
    /// use nanodb::{Database, GoImportOptions};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("app.db");
    /// let options = GoImportOptions::new().lock_timeout(Duration::from_secs(60));
    /// assert_eq!(Database::convert_go_file_with(&path, &options)?, None); // there is no file
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`convert_go_file`](Self::convert_go_file).
    pub fn convert_go_file_with(
        path: impl AsRef<Path>,
        options: &GoImportOptions,
    ) -> Result<Option<GoConversion>> {
        let path = path.as_ref();
        convert_at(path, options).map_err(|error| {
            let text = format!("converting {}: ", path.display());
            ErrorBuilder::before(error, text).file(path).into()
        })
    }
}

fn convert_at(path: &Path, options: &GoImportOptions) -> Result<Option<GoConversion>> {
    loop {
        // Without the permission to write, which a file that is none of ours to convert may lack.
        if go_file_at(path)?.is_none() {
            return Ok(None);
        }
        let Some(storage) = found(FileStorage::open_existing(path))? else { return Ok(None) };
        lock(&storage, Access::Write, options)?;
        // Who had the lock before may have converted it: then the name is another file's.
        let Some(there) = go_file_at(path)? else { return Ok(None) };
        let id =
            |storage: &FileStorage| storage.id().map_err(|error| failed("looking at it", error));
        if id(&there)? == id(&storage)? {
            drop(there);
            let storage: Arc<dyn Storage> = Arc::new(storage);
            return convert(&storage, options).map(Some);
        }
    }
}

/// Opens the file at `path` to be read, if it is one of the Go program.
fn go_file_at(path: &Path) -> Result<Option<FileStorage>> {
    let Some(storage) = found(FileStorage::open_read_only(path))? else { return Ok(None) };
    let is_go_file = has_magic(&storage).map_err(|error| failed("reading it", error))?;
    Ok(is_go_file.then_some(storage))
}

fn found(opened: io::Result<FileStorage>) -> Result<Option<FileStorage>> {
    match opened {
        Ok(storage) => Ok(Some(storage)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("opening it", error)),
    }
}

/// Converts the file that a storage holds, which is locked.
pub(super) fn convert(
    storage: &Arc<dyn Storage>,
    options: &GoImportOptions,
) -> Result<GoConversion> {
    // The Go program had nothing beside its file, so whatever has such a name is another's.
    check_names_are_free(&**storage).map_err(EngineError::from)?;
    remove_leftovers(&**storage)
        .map_err(|error| failed("removing what a crash has left", error))?;
    let converted = import(storage, options).and_then(|report| {
        let suffix = replace(&**storage).map_err(|error| failed("replacing it", error))?;
        let mut backup = storage.path().unwrap_or(Path::new("")).as_os_str().to_owned();
        backup.push(suffix);
        Ok(GoConversion { backup: backup.into(), report })
    });
    if converted.is_err() {
        // What led here is what counts, and the next conversion tries again.
        let _ = remove_leftovers(&**storage);
    }
    converted
}

fn remove_leftovers(storage: &dyn Storage) -> io::Result<()> {
    LEFT_BY_CRASHES.iter().try_for_each(|suffix| storage.remove_sidecar(suffix))
}

/// Makes the new file, complete and on stable storage.
fn import(storage: &Arc<dyn Storage>, options: &GoImportOptions) -> Result<GoImportReport> {
    // Before anything is made: most of what is wrong shows here.
    let file = GoFile::open(&**storage)?;
    let checked = Checked::new(&file, options.skip_damaged)?;
    let making = |error| failed("making the new file", error);
    let new = storage.sidecar(NEW).map_err(making)?;
    // Closing syncs it; before, it is of no use.
    let db = Database::options().durability(Durability::Buffered).open_on(Arc::clone(&new))?;
    let report = checked.store(&file, &db)?;
    db.close()?;
    new.sync().map_err(making)?;
    Ok(report)
}

/// Gives the new file the old one's name; returns what was put behind that of the old one.
fn replace(storage: &dyn Storage) -> io::Result<String> {
    let suffix = keep(storage)?;
    storage.sync_directory()?;
    storage.replace_by_sidecar(NEW)?;
    Ok(suffix)
}

/// Gives the old file a second name that nothing has, or, where files have only one, makes a copy.
fn keep(storage: &dyn Storage) -> io::Result<String> {
    use io::ErrorKind::{AlreadyExists, PermissionDenied, TooManyLinks, Unsupported};
    let numbered = (2_u64..).map(|number| format!("{BACKUP}-{number}"));
    for suffix in std::iter::once(BACKUP.to_owned()).chain(numbered) {
        if storage.has_sidecar(&suffix)? {
            if is_the_same(storage, &suffix) {
                return Ok(suffix);
            }
            continue;
        }
        match storage.add_name(&suffix) {
            Ok(()) => return Ok(suffix),
            Err(error) if error.kind() == AlreadyExists => {}
            Err(error) if matches!(error.kind(), PermissionDenied | TooManyLinks | Unsupported) => {
                copy(storage, &*storage.sidecar(COPY)?)?;
                storage.replace_sidecar(COPY, &suffix)?;
                return Ok(suffix);
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Whether a file beside the old one is the same, byte by byte. What can't be read is another.
fn is_the_same(storage: &dyn Storage, suffix: &str) -> bool {
    let Ok(Some(other)) = storage.found_sidecar(suffix) else { return false };
    let (mut ours, mut theirs) = (vec![0; CHUNK], vec![0; CHUNK]);
    let same_len = matches!((storage.len(), other.len()), (Ok(a), Ok(b)) if a == b);
    let same_bytes = chunks(storage, &mut ours, |ours, at| {
        let theirs = theirs.get_mut(..ours.len()).unwrap_or_default();
        other.read_at(theirs, at)?;
        if theirs == ours { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
    });
    same_len && same_bytes.is_ok()
}

/// Copies a file to an empty one, and syncs that.
fn copy(from: &dyn Storage, to: &dyn Storage) -> io::Result<()> {
    chunks(from, &mut vec![0; CHUNK], |bytes, at| to.write_at(bytes, at))?;
    to.sync()
}

/// Calls `each` with the bytes of a file, and where they are.
fn chunks(
    storage: &dyn Storage,
    buffer: &mut [u8],
    mut each: impl FnMut(&[u8], u64) -> io::Result<()>,
) -> io::Result<()> {
    let (len, mut at) = (storage.len()?, 0);
    while at < len {
        let size = usize::try_from(len - at).unwrap_or(CHUNK).min(CHUNK);
        let bytes = buffer.get_mut(..size).unwrap_or_default();
        storage.read_at(bytes, at)?;
        each(bytes, at)?;
        at += size as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
