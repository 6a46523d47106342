//! Where the bytes are: a file, memory, or whatever a test puts in their place.
//!
//! All input and output goes through [`Storage`], so that a test can stand in
//! for a disk that fails, tears or forgets.

mod file;
pub(crate) mod lock;
mod memory;
mod place;
mod read_only;
mod sidecar;
mod unnamed;

use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::Arc;

pub use file::{FileId, FileStorage};
pub use lock::{Access, LockHolder, LockHolders, LockWait};
pub use memory::MemoryStorage;
pub(crate) use place::Displaced;
pub use read_only::ReadOnly;

/// How many zeros are written with one call at most.
const ZEROS: usize = 32 * 1024;

/// Has zeros written from `from` to `to`.
pub(crate) fn write_zeros(
    from: u64,
    to: u64,
    mut write: impl FnMut(&[u8], u64) -> io::Result<()>,
) -> io::Result<()> {
    let zeros = vec![0; ZEROS];
    let mut at = from;
    while at < to {
        let len = zeros.len().min(usize::try_from(to - at).unwrap_or(usize::MAX));
        write(zeros.get(..len).unwrap_or(&zeros), at)?;
        at += len as u64;
    }
    Ok(())
}

/// A file of bytes that is read and written at given places.
///
/// Calls come from many threads at once. The pager never reads a range while it
/// writes the same range.
pub trait Storage: Debug + Send + Sync + 'static {
    /// Returns how many bytes there are.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn len(&self) -> io::Result<u64>;

    /// Returns whether there are none.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Truncates or lengthens the file; new bytes are zero.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Lengthens the file from `from` bytes, which it has, to `to` bytes. The new ones are zero and
    /// have their room on the disk already: what is written to them later needs no more, unless
    /// the file system writes nothing in place.
    ///
    /// By default zeros are written.
    ///
    /// # Errors
    ///
    /// What the operating system says; the file may then be longer than it was.
    fn extend(&self, from: u64, to: u64) -> io::Result<()> {
        write_zeros(from, to, |zeros, at| self.write_at(zeros, at))
    }

    /// Fills all of `buf` from `offset` on.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::UnexpectedEof`] when the file ends before; else what the
    /// operating system says.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()>;

    /// Writes all of `buf` from `offset` on, lengthening the file where needed.
    ///
    /// # Errors
    ///
    /// What the operating system says; part of `buf` may then have been written.
    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()>;

    /// Syncs: returns when all that was written is on stable storage, the length included.
    ///
    /// # Errors
    ///
    /// What the operating system says; what was written since the last success
    /// may then be lost, even if a later call succeeds.
    fn sync(&self) -> io::Result<()>;

    /// Locks the file for this handle alone; `false` if another handle has it.
    ///
    /// The lock lasts until it is [given up](Self::unlock), or the storage is dropped.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn lock(&self) -> io::Result<bool>;

    /// Locks the file for reading, beside other handles that do the same; `false` if one has it
    /// for itself. By default nobody else may have it either.
    ///
    /// The lock lasts as long as [that one](Self::lock).
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn lock_shared(&self) -> io::Result<bool> {
        self.lock()
    }

    /// Gives up the lock, of either kind: another handle may have it. Nothing is read or written
    /// through this one any more, unless it is locked again.
    ///
    /// By default the lock stays until the storage is dropped: then a database that was closed
    /// keeps its file locked as long as handles of it are there.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn unlock(&self) -> io::Result<()> {
        Ok(())
    }

    /// Returns which processes have a lock on the file, for messages; none where nothing tells.
    fn lock_holders(&self) -> LockHolders {
        LockHolders::default()
    }

    /// Returns where the file is, for messages; none if it has no name.
    fn path(&self) -> Option<&Path> {
        None
    }

    /// Returns whether the bytes outlive the process. If not, no log is kept.
    fn is_persistent(&self) -> bool {
        true
    }

    /// Opens the file beside this one whose name is this one's with `suffix` behind it,
    /// creating an empty one where there is none.
    ///
    /// [`FileStorage`] does nothing beside a file that is not where it was opened: this and all
    /// that follow but [`has_sidecar`](Self::has_sidecar) then fail.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn sidecar(&self, suffix: &str) -> io::Result<Arc<dyn Storage>>;

    /// Returns whether there is such a file.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn has_sidecar(&self, suffix: &str) -> io::Result<bool>;

    /// Opens such a file to be read, as it is; none if there is none.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn found_sidecar(&self, suffix: &str) -> io::Result<Option<Arc<dyn Storage>>> {
        if self.has_sidecar(suffix)? { self.sidecar(suffix).map(Some) } else { Ok(None) }
    }

    /// Removes such a file; one that is not there is removed already.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn remove_sidecar(&self, suffix: &str) -> io::Result<()>;

    /// Gives the file beside this one that ends in `from` the name that ends in `to`, in
    /// one step, in place of the file that had it.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn replace_sidecar(&self, from: &str, to: &str) -> io::Result<()>;

    /// Gives this file a second name, its own with `suffix` behind it, which nothing has.
    ///
    /// By default files have one name.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AlreadyExists`]; [`io::ErrorKind::Unsupported`], or what else the operating
    /// system says, where files have one name.
    fn add_name(&self, suffix: &str) -> io::Result<()> {
        let _ = suffix;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Gives this file's own name to the file beside it that ends in `suffix`, in one step, and
    /// syncs the directory. From then on nothing is done beside this one.
    ///
    /// By default that can't be done.
    ///
    /// # Errors
    ///
    /// What the operating system says. If the sync has failed, the name may be the other's.
    fn replace_by_sidecar(&self, suffix: &str) -> io::Result<()> {
        let _ = suffix;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Syncs the directory: returns when the names of sidecars created, replaced or removed are on
    /// stable storage.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn sync_directory(&self) -> io::Result<()>;

    /// Makes an empty file without a name, gone with its last handle: room for what does not fit
    /// into memory and need not outlive the process. Never synced.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::Unsupported`], also by default, where there is no such thing: then
    /// all of it stays in memory. Else what the operating system says.
    fn temp_file(&self) -> io::Result<Arc<dyn Storage>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
