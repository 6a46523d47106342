//! Which files this process has open.
//!
//! A file is open once in a process, however often and by whatever names it is opened: all
//! openings share it. The list has open files by what the operating system tells them apart by, and
//! counts the openings of each. A file leaves it when its last opening is over *and* it is closed;
//! who opens it in between waits, and nobody else: the list is locked for moments only, and never
//! while a file is opened or closed.
//!
//! ```text
//!            open                          the last leaves             it is closed
//!   absent ------> opening ------> open -------------------> closing ---------------> absent
//!                     |            |  ^                                                 ^
//!                     |            +--+ openings join and leave                         |
//!                     +------------------ it can't be opened ---------------------------+
//! ```
//!
//! Handles of openings that are over may outlive all that: by the time they let go of their entry,
//! the list may have one of a later opening. So entries have numbers.
//!
//! A file that is open for writing is not shared with who opens it for reading alone, nor the other
//! way round: as between processes, the one excludes the other.
//!
//! What a process has inherited by being forked from another is that one's, and not shared: it
//! begins with a list of its own.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Weak};

use nanodb_pager::{Access, FileId, FileStorage, LockHolders, LockWait, PerProcess};
use parking_lot::{Condvar, Mutex};

use nanodb_document::ErrorKind;

use crate::error::{EngineError, Result};

/// The files that this process has open, each with what all openings of the file share.
pub struct OpenFiles<T: 'static>(PerProcess<Listing<T>>);

struct Listing<T> {
    list: Mutex<List<T>>,
    /// Told when a file was opened or closed, or could not be opened, or the last opening of it is
    /// over.
    changed: Condvar,
}

struct List<T> {
    files: BTreeMap<FileId, Entry<T>>,
    /// How many entries there have been.
    entries: u64,
}

/// A file that is open, or about to be, or about to be closed.
struct Entry<T> {
    number: u64,
    access: Access,
    state: State<T>,
}

enum State<T> {
    Opening,
    Open { shared: Weak<T>, openings: usize },
    Closing,
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        let list = List { files: BTreeMap::new(), entries: 0 };
        Self { list: Mutex::new(list), changed: Condvar::new() }
    }
}

impl<T> Default for OpenFiles<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Keeps a file's place in the list; takes it out when released or dropped, which
/// must be after the file was closed.
pub struct OpenFile<T: 'static> {
    listing: Arc<Listing<T>>,
    /// Whose list it is.
    process: u32,
    id: FileId,
    number: u64,
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
        if let Some(file) = self.entry(&mut self.listing.list.lock()) {
            file.state = State::Open { shared: Arc::downgrade(shared), openings: 1 };
        }
        self.listing.changed.notify_all();
    }

    /// One of the openings is over; returns how many are left. After the last one nobody joins:
    /// who opens the file waits until its place in the list is free.
    pub(crate) fn leave(&self) -> usize {
        if self.is_inherited() {
            return 0;
        }
        let mut list = self.listing.list.lock();
        let Some(file) = self.entry(&mut list) else { return 0 };
        let State::Open { openings, .. } = &mut file.state else { return 0 };
        *openings = openings.saturating_sub(1);
        let left = *openings;
        if left == 0 {
            file.state = State::Closing;
            drop(list);
            self.listing.changed.notify_all();
        }
        left
    }

    /// Takes the file out of the list, in which another opening of it may be by now.
    pub(crate) fn release(&self) {
        if self.is_inherited() {
            return;
        }
        let mut list = self.listing.list.lock();
        if self.entry(&mut list).is_some() {
            list.files.remove(&self.id);
        }
        drop(list);
        self.listing.changed.notify_all();
    }

    /// Whether it is in the list of the process that this one was forked from, which a thread of
    /// that one may have locked here for ever.
    fn is_inherited(&self) -> bool {
        self.process != std::process::id()
    }

    /// What is listed, if it is this one's and not that of a later opening.
    fn entry<'a>(&self, list: &'a mut List<T>) -> Option<&'a mut Entry<T>> {
        let file = list.files.get_mut(&self.id)?;
        (file.number == self.number).then_some(file)
    }
}

impl<T> Drop for OpenFile<T> {
    fn drop(&mut self) {
        self.release();
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
        Self(PerProcess::new())
    }

    /// Returns what the openings of a file share: that of the open file, which is joined, or what
    /// `open` returns. One who got it leaves later.
    ///
    /// `file` opens the file, and is called again where that may find another by then. `open` gets
    /// it with what must be dropped last, if the file can be told from others; it does not wait for
    /// other processes.
    ///
    /// # Errors
    ///
    /// Theirs; `locked` makes that of a file that this process has open otherwise.
    pub fn open(
        &self,
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

    fn place(&self, id: FileId, access: Access, wait: &LockWait) -> Place<T> {
        let listing = self.0.get();
        let Listing { list, changed } = &*listing;
        let mut list = list.lock();
        let mut waited = false;
        loop {
            let Some(file) = list.files.get_mut(&id) else {
                if waited {
                    return Place::Closed;
                }
                list.entries += 1;
                let number = list.entries;
                list.files.insert(id.clone(), Entry { number, access, state: State::Opening });
                drop(list);
                let process = std::process::id();
                return Place::Free(Arc::new(OpenFile { listing, process, id, number }));
            };
            match &mut file.state {
                State::Open { shared, openings } if file.access == access => {
                    if let Some(shared) = shared.upgrade() {
                        *openings += 1;
                        return Place::Open(shared);
                    }
                }
                State::Open { shared, .. } if shared.strong_count() > 0 => {
                    waited = true;
                    let over = wait.until().map(|until| changed.wait_until(&mut list, until));
                    match over {
                        Some(over) if over.timed_out() => return Place::Locked,
                        Some(_) => {}
                        None => changed.wait(&mut list),
                    }
                    continue;
                }
                _ => {}
            }
            // It is being opened, or written and closed, right now.
            changed.wait(&mut list);
        }
    }

    /// Returns what the openings of a file share, which is joined, if this process has it open.
    pub fn find(&self, id: &FileId) -> Option<Arc<T>> {
        let listing = self.0.get();
        let mut list = listing.list.lock();
        while let Some(file) = list.files.get_mut(id) {
            if let State::Open { shared, openings } = &mut file.state
                && let Some(shared) = shared.upgrade()
            {
                *openings += 1;
                return Some(shared);
            }
            listing.changed.wait(&mut list);
        }
        None
    }
}

#[cfg(test)]
mod tests;
