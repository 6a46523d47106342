//! Which files this process has open.
//!
//! A file is open once in a process, however often and by whatever names it is opened:
//! all handles share it. The registry lists open files by what the operating system
//! tells them apart by. A database leaves it when its last handle is gone *and* its
//! file is closed; who opens the file in between waits, and nobody else: the list is locked for
//! moments only, and never while a file is opened or closed.
//!
//! A file that is open for writing is not shared with who opens it for reading alone, nor the other
//! way round: as between processes, the one excludes the other.
//!
//! What a process has inherited by being forked from another is that one's, and not shared.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use nanodb_pager::{Access, FileId, FileStorage, LockHolders, LockWait};
use parking_lot::{Condvar, Mutex};

use crate::database::{Database, Shared};
use crate::error::{ErrorKind, Result};

static FILES: Mutex<BTreeMap<FileId, File>> = Mutex::new(BTreeMap::new());

/// Told when a file was opened or closed, or could not be opened.
static CHANGED: Condvar = Condvar::new();

/// A file that is open, or about to be, or about to be closed.
struct File {
    access: Access,
    /// Who has opened it.
    process: u32,
    /// None while it is being opened.
    shared: Option<Weak<Shared>>,
}

/// Keeps a file's place in the registry; takes it out when dropped, which must be after
/// the file was closed.
#[derive(Debug)]
pub(crate) struct Registration {
    id: FileId,
    process: u32,
}

impl Registration {
    fn opened(&self, database: &Database) {
        if let Some(file) = self.entry(&mut FILES.lock()) {
            file.shared = Some(Arc::downgrade(database.shared()));
        }
        CHANGED.notify_all();
    }

    /// What is listed, if it is this one's and not that of a process this one was forked into.
    fn entry<'a>(&self, files: &'a mut BTreeMap<FileId, File>) -> Option<&'a mut File> {
        files.get_mut(&self.id).filter(|file| file.process == self.process)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut files = FILES.lock();
        if self.entry(&mut files).is_some() {
            files.remove(&self.id);
        }
        drop(files);
        CHANGED.notify_all();
    }
}

/// What a file is to this process.
enum Place {
    Open(Database),
    /// Nobody else opens it before this is dropped.
    Free(Arc<Registration>),
    /// It was open otherwise, and is not any more.
    Closed,
    /// It is open otherwise.
    Locked,
}

/// The database in a file: the one that is open, or what `open` returns.
///
/// `file` opens the file, and is called again where that may find another by then. `open` gets it with what must
/// be dropped last, if the file can be told from others; it does not wait for other processes.
///
/// # Errors
///
/// Theirs; `locked` makes that of a file that this process has open otherwise.
pub(crate) fn open(
    access: Access,
    mut wait: LockWait,
    file: impl Fn() -> Result<FileStorage>,
    open: impl Fn(FileStorage, Option<Arc<Registration>>) -> Result<Database>,
    locked: impl FnOnce(LockHolders) -> crate::error::Error,
) -> Result<Database> {
    loop {
        let storage = file()?;
        // One that cannot be told apart is not shared; a second open then finds it locked.
        let registration = match storage.id() {
            Ok(id) => match place(id, access, &wait) {
                Place::Open(database) => return Ok(database),
                Place::Free(registration) => Some(registration),
                Place::Closed => continue,
                Place::Locked => return Err(locked(LockHolders::current())),
            },
            Err(_) => None,
        };
        match open(storage, registration.clone()) {
            Ok(database) => {
                registration.iter().for_each(|registration| registration.opened(&database));
                return Ok(database);
            }
            // Closed by now: the registration goes after it.
            Err(error) if error.kind() == ErrorKind::Locked => {
                drop(registration);
                if !wait.pause() {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
    }
}

fn place(id: FileId, access: Access, wait: &LockWait) -> Place {
    let mut files = FILES.lock();
    let process = std::process::id();
    let mut waited = false;
    loop {
        let Some(file) = files.get(&id).filter(|file| file.process == process) else {
            if waited {
                return Place::Closed;
            }
            files.insert(id.clone(), File { access, process, shared: None });
            return Place::Free(Arc::new(Registration { id, process }));
        };
        match &file.shared {
            Some(shared) if file.access == access => {
                if let Some(shared) = shared.upgrade() {
                    return Place::Open(Database::from_shared(shared));
                }
            }
            Some(shared) if shared.strong_count() > 0 => {
                waited = true;
                let over = wait.until().map(|until| CHANGED.wait_until(&mut files, until));
                match over {
                    Some(over) if over.timed_out() => return Place::Locked,
                    Some(_) => {}
                    None => CHANGED.wait(&mut files),
                }
                continue;
            }
            _ => {}
        }
        // It is being opened, or written and closed, right now.
        CHANGED.wait(&mut files);
    }
}

/// The database in a file, if this process has it open.
pub(crate) fn opened(id: &FileId) -> Option<Database> {
    let mut files = FILES.lock();
    let process = std::process::id();
    while let Some(file) = files.get(id).filter(|file| file.process == process) {
        if let Some(shared) = file.shared.as_ref().and_then(Weak::upgrade) {
            return Some(Database::from_shared(shared));
        }
        CHANGED.wait(&mut files);
    }
    None
}

#[cfg(test)]
mod tests;
