//! Which files this process has open.
//!
//! A file is open once in a process, however often and by whatever names it is opened:
//! all handles share it. The registry lists open files by what the operating system
//! tells them apart by. A database leaves it when its last handle is gone *and* its
//! file is closed; who opens the file in between waits.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Weak};

use parking_lot::{Condvar, Mutex};

use crate::database::{Database, Shared};
use crate::error::Result;

/// What tells files apart: device and inode, or else the path.
#[cfg(unix)]
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct FileKey(u64, u64);
#[cfg(not(unix))]
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct FileKey(std::path::PathBuf);

static OPEN_FILES: Mutex<Option<HashMap<FileKey, Weak<Shared>>>> = Mutex::new(None);
static FILE_CLOSED: Condvar = Condvar::new();

/// Keeps a file's place in the registry; takes it out when dropped, which must be after
/// the file was closed.
#[derive(Debug)]
pub(crate) struct Registration {
    key: Mutex<Option<FileKey>>,
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Some(key) = self.key.get_mut().take() {
            let mut files = OPEN_FILES.lock();
            if let Some(files) = &mut *files {
                files.remove(&key);
            }
            FILE_CLOSED.notify_all();
        }
    }
}

/// The database at `path`, if this process has it open.
pub(crate) fn opened(path: &Path) -> Option<Database> {
    let mut files = OPEN_FILES.lock();
    let key = file_key(path).ok()?;
    while let Some(entry) = files.as_ref()?.get(&key) {
        if let Some(shared) = entry.upgrade() {
            return Some(Database::from_shared(shared));
        }
        FILE_CLOSED.wait(&mut files);
    }
    None
}

/// The database at `path`: the one that is open, or what `open` returns.
pub(crate) fn open(
    path: &Path,
    open: impl FnOnce(Arc<Registration>) -> Result<Database>,
) -> Result<Database> {
    // Held until the file is open, so that no two threads open it at once.
    let mut files = OPEN_FILES.lock();
    while let Ok(key) = file_key(path)
        && let Some(entry) = files.get_or_insert_default().get(&key)
    {
        if let Some(shared) = entry.upgrade() {
            return Ok(Database::from_shared(shared));
        }
        // Its last handle is gone, and it is being written and closed right now.
        FILE_CLOSED.wait(&mut files);
    }
    let registration = Arc::new(Registration { key: Mutex::new(None) });
    let database = open(Arc::clone(&registration))?;
    // Only now is there certainly a file to ask. One that cannot be told apart is not
    // shared; a second open then finds it locked.
    if let Ok(key) = file_key(path) {
        files.get_or_insert_default().insert(key.clone(), Arc::downgrade(database.shared()));
        *registration.key.lock() = Some(key);
    }
    Ok(database)
}

#[cfg(unix)]
fn file_key(path: &Path) -> io::Result<FileKey> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(path)?;
    Ok(FileKey(metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn file_key(path: &Path) -> io::Result<FileKey> {
    std::fs::canonicalize(path).map(FileKey)
}
