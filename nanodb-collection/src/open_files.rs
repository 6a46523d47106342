//! Which files this process has open.
//!
//! A file is open once in a process, however often and by whatever names it is opened:
//! all handles share it. The list has open files by what the operating system
//! tells them apart by. A database leaves it when its last handle is gone *and* its
//! file is closed; who opens the file in between waits, and nobody else: the list is locked for
//! moments only, and never while a file is opened or closed.
//!
//! A file that is open for writing is not shared with who opens it for reading alone, nor the other
//! way round: as between processes, the one excludes the other.
//!
//! What a process has inherited by being forked from another is that one's, and not shared.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Weak};

use nanodb_pager::{Access, FileId, FileStorage, LockHolders, LockWait};
use parking_lot::{Condvar, Mutex};

use nanodb_document::ErrorKind;

use crate::error::{EngineError, Result};

/// The files that this process has open, each with what all handles of the file share.
pub struct OpenFiles<T: 'static> {
    files: Mutex<BTreeMap<FileId, Entry<T>>>,
    /// Told when a file was opened or closed, or could not be opened.
    changed: Condvar,
}

/// A file that is open, or about to be, or about to be closed.
struct Entry<T> {
    access: Access,
    /// Who has opened it.
    process: u32,
    /// None while it is being opened.
    shared: Option<Weak<T>>,
}

impl<T> Default for OpenFiles<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Keeps a file's place in the list; takes it out when dropped, which must be after
/// the file was closed.
pub struct OpenFile<T: 'static> {
    files: &'static OpenFiles<T>,
    id: FileId,
    process: u32,
}

impl<T> fmt::Debug for OpenFiles<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenFiles").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for OpenFile<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenFile").field("id", &self.id).finish_non_exhaustive()
    }
}

impl<T> OpenFile<T> {
    fn opened(&self, shared: &Arc<T>) {
        if let Some(file) = self.entry(&mut self.files.files.lock()) {
            file.shared = Some(Arc::downgrade(shared));
        }
        self.files.changed.notify_all();
    }

    /// What is listed, if it is this one's and not that of a process this one was forked into.
    fn entry<'a>(&self, files: &'a mut BTreeMap<FileId, Entry<T>>) -> Option<&'a mut Entry<T>> {
        files.get_mut(&self.id).filter(|file| file.process == self.process)
    }
}

impl<T> Drop for OpenFile<T> {
    fn drop(&mut self) {
        let mut files = self.files.files.lock();
        if self.entry(&mut files).is_some() {
            files.remove(&self.id);
        }
        drop(files);
        self.files.changed.notify_all();
    }
}

/// What a file is to this process.
enum Place<T: 'static> {
    Open(Arc<T>),
    /// Nobody else opens it before this is dropped.
    Free(Arc<OpenFile<T>>),
    /// It was open otherwise, and is not any more.
    Closed,
    /// It is open otherwise.
    Locked,
}

impl<T> OpenFiles<T> {
    /// Makes an empty list.
    pub const fn new() -> Self {
        Self { files: Mutex::new(BTreeMap::new()), changed: Condvar::new() }
    }

    /// Returns what the handles of a file share: that of the open file, or what `open` returns.
    ///
    /// `file` opens the file, and is called again where that may find another by then. `open` gets
    /// it with what must be dropped last, if the file can be told from others; it does not wait for
    /// other processes.
    ///
    /// # Errors
    ///
    /// Theirs; `locked` makes that of a file that this process has open otherwise.
    pub fn open(
        &'static self,
        access: Access,
        mut wait: LockWait,
        file: impl Fn() -> Result<FileStorage>,
        open: impl Fn(FileStorage, Option<Arc<OpenFile<T>>>) -> Result<Arc<T>>,
        locked: impl FnOnce(LockHolders) -> EngineError,
    ) -> Result<Arc<T>> {
        loop {
            let storage = file()?;
            // One that cannot be told apart is not shared; a second open then finds it locked.
            let open_file = match storage.id() {
                Ok(id) => match self.place(id, access, &wait) {
                    Place::Open(shared) => return Ok(shared),
                    Place::Free(open_file) => Some(open_file),
                    Place::Closed => continue,
                    Place::Locked => return Err(locked(LockHolders::current())),
                },
                Err(_) => None,
            };
            match open(storage, open_file.clone()) {
                Ok(shared) => {
                    open_file.iter().for_each(|open_file| open_file.opened(&shared));
                    return Ok(shared);
                }
                // Closed by now: its entry goes after it.
                Err(error) if error.kind() == ErrorKind::Locked => {
                    drop(open_file);
                    if !wait.pause() {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn place(&'static self, id: FileId, access: Access, wait: &LockWait) -> Place<T> {
        let mut files = self.files.lock();
        let process = std::process::id();
        let mut waited = false;
        loop {
            let Some(file) = files.get(&id).filter(|file| file.process == process) else {
                if waited {
                    return Place::Closed;
                }
                files.insert(id.clone(), Entry { access, process, shared: None });
                return Place::Free(Arc::new(OpenFile { files: self, id, process }));
            };
            match &file.shared {
                Some(shared) if file.access == access => {
                    if let Some(shared) = shared.upgrade() {
                        return Place::Open(shared);
                    }
                }
                Some(shared) if shared.strong_count() > 0 => {
                    waited = true;
                    let over = wait.until().map(|until| self.changed.wait_until(&mut files, until));
                    match over {
                        Some(over) if over.timed_out() => return Place::Locked,
                        Some(_) => {}
                        None => self.changed.wait(&mut files),
                    }
                    continue;
                }
                _ => {}
            }
            // It is being opened, or written and closed, right now.
            self.changed.wait(&mut files);
        }
    }

    /// Returns what the handles of a file share, if this process has it open.
    pub fn find(&self, id: &FileId) -> Option<Arc<T>> {
        let mut files = self.files.lock();
        let process = std::process::id();
        while let Some(file) = files.get(id).filter(|file| file.process == process) {
            if let Some(shared) = file.shared.as_ref().and_then(Weak::upgrade) {
                return Some(shared);
            }
            self.changed.wait(&mut files);
        }
        None
    }
}

#[cfg(test)]
mod tests;
