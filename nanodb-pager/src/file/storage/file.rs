//! Storage in a file of the operating system.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::lock::{self, Access};
use super::place::{self, Place};
use super::{LockHolders, Storage, sidecar, unnamed};
use crate::process;

/// A file, opened for reading, or for reading and writing; locked while a pager has it.
///
/// It is known by its real path, without links, and its sidecars are named after that. If another
/// file is there by then, or none, no sidecar is made, replaced or removed any more.
#[derive(Debug)]
pub struct FileStorage {
    file: File,
    place: Place,
    access: Access,
    /// Who has opened it: a process that was forked from that one leaves the lock alone.
    process: u32,
}

impl FileStorage {
    /// Opens the file at `path`, creating an empty one where there is none, also where a link
    /// leads that leads nowhere so far.
    ///
    /// # Errors
    ///
    /// What the operating system says; [`io::ErrorKind::InvalidInput`] for what is no ordinary
    /// file.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        loop {
            match Self::open_existing(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                opened => return opened,
            }
            match Self::create_new(&path) {
                // It has come just now.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                created => return created,
            }
        }
    }

    /// Opens the file at `path`, which must exist.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`], or what else the operating system says;
    /// [`io::ErrorKind::InvalidInput`] for what is no ordinary file.
    pub fn open_existing(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = place::real_path(path.as_ref())?;
        let file = sidecar::open_existing(&path)?;
        Self::over(file, path, Access::Write)
    }

    /// Makes an empty file at `path`, where there is none.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AlreadyExists`], or what else the operating system says.
    pub fn create_new(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = place::real_path(path.as_ref())?;
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        let made = Self::over(file, path, Access::Write)?;
        // Its name is durable only once the directory is synced.
        made.place.sync_directory()?;
        Ok(made)
    }

    /// Opens the file at `path`, which must exist, without permission to write it: nothing is
    /// changed of it or beside it, whatever calls come.
    ///
    /// # Errors
    ///
    /// Same as [`open_existing`](Self::open_existing).
    pub fn open_read_only(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = place::real_path(path.as_ref())?;
        let file = sidecar::open_to_read(&path)?;
        Self::over(file, path, Access::Read)
    }

    /// Returns what identifies this file among all others.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    #[cfg(unix)]
    pub fn id(&self) -> io::Result<FileId> {
        use std::os::unix::fs::MetadataExt;
        let metadata = self.file.metadata()?;
        Ok(FileId(metadata.dev(), metadata.ino()))
    }

    /// Returns what identifies this file among all others.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    #[cfg(not(unix))]
    pub fn id(&self) -> io::Result<FileId> {
        Ok(FileId(self.place.path().to_owned()))
    }

    /// A file without a name in a directory, gone with its handle.
    pub(crate) fn unnamed(directory: &Path) -> io::Result<Self> {
        let file = unnamed::create(directory)?;
        Self::over(file, directory.join("(unnamed)"), Access::Write)
    }

    /// What would change something beside the file.
    fn check_access(&self) -> io::Result<()> {
        match self.access {
            Access::Write => Ok(()),
            Access::Read => Err(io::ErrorKind::PermissionDenied.into()),
        }
    }

    fn over(file: File, path: PathBuf, access: Access) -> io::Result<Self> {
        Ok(Self { place: Place::new(path, &file)?, file, access, process: process::id() })
    }
}

/// What tells a file from every other one, by whatever names they are opened, as long as it
/// is open: device and inode, or else the path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FileId(#[cfg(unix)] u64, #[cfg(unix)] u64, #[cfg(not(unix))] PathBuf);

impl Drop for FileStorage {
    fn drop(&mut self) {
        // Closing is not enough: between its fork and its exec, a child process that another
        // thread starts has the file open too, and with it the lock. One that was never
        // locked does not mind, and nobody is left to tell of a failure.
        let _ = self.unlock();
    }
}

impl Storage for FileStorage {
    fn path(&self) -> Option<&Path> {
        Some(self.place.path())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    #[cfg(all(target_os = "linux", feature = "fallocate"))]
    fn extend(&self, from: u64, to: u64) -> io::Result<()> {
        use rustix::fs::{FallocateFlags, fallocate};
        use rustix::io::Errno;
        match fallocate(&self.file, FallocateFlags::empty(), from, to.saturating_sub(from)) {
            // Not every file system can.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {
                super::write_zeros(from, to, |zeros, at| self.write_at(zeros, at))
            }
            extended => Ok(extended?),
        }
    }

    #[cfg(unix)]
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, buf, offset)
    }

    #[cfg(unix)]
    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.file, buf, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, mut buf: &mut [u8], mut offset: u64) -> io::Result<()> {
        use std::os::windows::fs::FileExt;
        while !buf.is_empty() {
            match self.file.seek_read(buf, offset) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => {
                    buf = &mut buf[read..];
                    offset += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    #[cfg(windows)]
    fn write_at(&self, mut buf: &[u8], mut offset: u64) -> io::Result<()> {
        use std::os::windows::fs::FileExt;
        while !buf.is_empty() {
            match self.file.seek_write(buf, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    buf = &buf[written..];
                    offset += written as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn lock(&self) -> io::Result<bool> {
        lock::try_acquire(&self.file, Access::Write)
    }

    fn lock_shared(&self) -> io::Result<bool> {
        lock::try_acquire(&self.file, Access::Read)
    }

    fn unlock(&self) -> io::Result<()> {
        // The lock is one with that of the process that this one was forked from.
        if process::id() != self.process {
            return Ok(());
        }
        lock::give_up(&self.file)
    }

    fn lock_holders(&self) -> LockHolders {
        lock::holders(&self.file)
    }

    fn sidecar(&self, suffix: &str) -> io::Result<Arc<dyn Storage>> {
        self.place.check()?;
        let path = self.place.beside(suffix);
        let file = match self.access {
            Access::Write => sidecar::open(&path, &self.file.metadata()?)?,
            Access::Read => sidecar::open_to_read(&path)?,
        };
        Ok(Arc::new(Self::over(file, path, self.access)?))
    }

    fn has_sidecar(&self, suffix: &str) -> io::Result<bool> {
        match std::fs::symlink_metadata(self.place.beside(suffix)) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn found_sidecar(&self, suffix: &str) -> io::Result<Option<Arc<dyn Storage>>> {
        let path = self.place.beside(suffix);
        match sidecar::open_to_read(&path) {
            Ok(file) => Ok(Some(Arc::new(Self::over(file, path, Access::Read)?))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn remove_sidecar(&self, suffix: &str) -> io::Result<()> {
        self.check_access()?;
        self.place.check()?;
        match std::fs::remove_file(self.place.beside(suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn replace_sidecar(&self, from: &str, to: &str) -> io::Result<()> {
        self.check_access()?;
        self.place.check()?;
        std::fs::rename(self.place.beside(from), self.place.beside(to))
    }

    fn add_name(&self, suffix: &str) -> io::Result<()> {
        self.check_access()?;
        self.place.check()?;
        std::fs::hard_link(self.place.path(), self.place.beside(suffix))
    }

    fn replace_by_sidecar(&self, suffix: &str) -> io::Result<()> {
        self.check_access()?;
        self.place.check()?;
        std::fs::rename(self.place.beside(suffix), self.place.path())?;
        self.place.sync_directory()
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.place.check()?;
        self.place.sync_directory()
    }

    fn temp_file(&self) -> io::Result<Arc<dyn Storage>> {
        if self.access == Access::Read {
            // Its directory may be on media that nobody writes to.
            return Err(io::ErrorKind::Unsupported.into());
        }
        // Beside the database: a system's directory for temporary files may be in memory,
        // which is what there is too little of.
        Ok(Arc::new(Self::unnamed(place::parent(self.place.path()))?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_free_when_its_storage_is_gone_even_if_a_child_process_still_has_it_open() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a file");
        let first = FileStorage::open(&path).unwrap();
        assert!(first.lock().unwrap());
        // What a child has between fork and exec.
        let inherited = first.file.try_clone().unwrap();
        assert!(!FileStorage::open(&path).unwrap().lock().unwrap());
        drop(first);
        assert!(FileStorage::open(&path).unwrap().lock().unwrap());
        drop(inherited);
    }

    #[test]
    fn a_lock_that_is_given_up_can_be_had_by_another_and_is_not_given_up_twice() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a file");
        let [first, second] = [0; 2].map(|_| FileStorage::open(&path).unwrap());
        assert!(first.lock().unwrap());
        first.unlock().unwrap();
        assert!(second.lock().unwrap());
        first.unlock().unwrap();
        drop(first);
        let third = FileStorage::open(&path).unwrap();
        assert!(!third.lock().unwrap(), "the second has it");
        second.unlock().unwrap();
        assert!(third.lock_shared().unwrap());
        third.unlock().unwrap();
        assert!(second.lock().unwrap());
    }

    #[test]
    fn a_fork_that_lets_go_of_a_file_leaves_its_parent_the_lock() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a file");
        let of_child = FileStorage::open(&path).unwrap();
        assert!(of_child.lock().unwrap());
        let of_parent = of_child.file.try_clone().unwrap();
        process::tests::PRETENDED.set(Some(process::id() + 1));
        of_child.unlock().unwrap();
        drop(of_child);
        process::tests::PRETENDED.set(None);
        assert!(!FileStorage::open(&path).unwrap().lock().unwrap());
        drop(of_parent);
    }

    #[test]
    fn nothing_is_done_beside_a_file_that_is_not_where_it_was_opened() {
        let directory = tempfile::tempdir().unwrap();
        let (path, away) = (directory.path().join("data"), directory.path().join("away"));
        let displace: [&dyn Fn(); 3] = [
            &|| std::fs::rename(&path, &away).unwrap(),
            &|| std::fs::remove_file(&path).unwrap(),
            &|| {
                std::fs::write(&away, b"another").unwrap();
                std::fs::rename(&away, &path).unwrap();
            },
        ];
        for displace in displace {
            let storage = FileStorage::open(&path).unwrap();
            storage.sidecar("-log0").unwrap().write_at(b"of the first", 0).unwrap();
            displace();
            let failed = [
                storage.sidecar("-log1").err(),
                storage.remove_sidecar("-log0").err(),
                storage.replace_sidecar("-log0", "-log1").err(),
                storage.sync_directory().err(),
            ];
            for error in failed {
                let error = error.unwrap();
                assert!(super::super::Displaced::in_error(&error).is_some(), "{error}");
            }
            assert!(storage.has_sidecar("-log0").unwrap());
            assert!(!storage.has_sidecar("-log1").unwrap());
            let _ = (std::fs::remove_file(&path), std::fs::remove_file(&away));
        }
    }
}
