//! Storage in a file of the operating system.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Storage;

/// A file, opened for reading and writing, locked while a pager has it.
#[derive(Debug)]
pub struct FileStorage {
    file: File,
    path: PathBuf,
}

impl FileStorage {
    /// Opens the file at `path`, creating an empty one where there is none.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let existed = path.exists();
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        if !existed {
            sync_parent(&path)?;
        }
        Ok(Self { file, path })
    }

    /// Opens the file at `path`, which must exist.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`], or what else the operating system says.
    pub fn open_existing(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let file = OpenOptions::new().read(true).write(true).open(&path)?;
        Ok(Self { file, path })
    }

    /// A file without a name in a directory, gone with its handle.
    pub(crate) fn unnamed(directory: &Path) -> io::Result<Self> {
        Ok(Self { file: tempfile::tempfile_in(directory)?, path: directory.join("(unnamed)") })
    }

    fn companion_path(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(suffix);
        name.into()
    }
}

impl Drop for FileStorage {
    fn drop(&mut self) {
        // Closing is not enough: between its fork and its exec, a child process that another
        // thread starts has the file open too, and with it the lock. One that was never
        // locked does not mind, and nobody is left to tell of a failure.
        let _ = self.file.unlock();
    }
}

/// The directory that a file is in.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A new file's name is durable only once its directory is synced.
#[cfg(unix)]
fn sync_parent(path: &Path) -> io::Result<()> {
    File::open(parent(path))?.sync_all()
}

#[cfg(not(unix))]
fn sync_parent(_: &Path) -> io::Result<()> {
    Ok(())
}

impl Storage for FileStorage {
    fn path(&self) -> Option<&Path> {
        Some(&self.path)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
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
        match self.file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            // Some file systems have no locks at all; refusing to work on them
            // would help nobody.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                Ok(true)
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn companion(&self, suffix: &str) -> io::Result<Arc<dyn Storage>> {
        let path = self.companion_path(suffix);
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        Ok(Arc::new(Self { file, path }))
    }

    fn has_companion(&self, suffix: &str) -> io::Result<bool> {
        self.companion_path(suffix).try_exists()
    }

    fn remove_companion(&self, suffix: &str) -> io::Result<()> {
        match std::fs::remove_file(self.companion_path(suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn replace_companion(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.companion_path(from), self.companion_path(to))
    }

    fn sync_directory(&self) -> io::Result<()> {
        sync_parent(&self.path)
    }

    fn scratch(&self) -> io::Result<Arc<dyn Storage>> {
        // Beside the database: a system's directory for temporary files may be in memory,
        // which is what there is too little of.
        Ok(Arc::new(Self::unnamed(parent(&self.path))?))
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
}
