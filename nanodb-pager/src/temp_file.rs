//! A file for what does not fit into memory and need not outlive the process.
//!
//! It has no name and is gone with its handle, so it needs neither a format nor a sync. What is
//! appended is read back whole, and compared with the checksum that its writer kept: bytes that
//! were on a disk are not believed.

use std::io;
use std::sync::Arc;

use twox_hash::XxHash3_64;

use crate::error::{Error, Result};
use crate::file::storage::{FileStorage, Storage};
use crate::pager::Pager;

/// A file without a name; made by [`Pager::temp_file`], and gone, with all it takes on disk,
/// when it is dropped.
#[derive(Debug)]
pub struct TempFile {
    file: Arc<dyn Storage>,
    len: u64,
}

/// Bytes that were appended to a [`TempFile`]: where, and their checksum.
#[derive(Clone, Copy, Debug)]
pub struct TempBytes {
    offset: u64,
    len: usize,
    checksum: u64,
}

impl Pager {
    /// Makes a new temporary file: in the directory of the database, or, for one that is in memory
    /// or open read-only, in the system's directory for temporary files.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn temp_file(&self) -> Result<TempFile> {
        let file = match self.shared.storage.temp_file() {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                let directory = std::env::temp_dir();
                let file = FileStorage::unnamed(&directory);
                file.map(|file| Arc::new(file) as Arc<dyn Storage>).map_err(|error| {
                    Error::io(format!("making a temporary file in {}", directory.display()), error)
                })?
            }
            file => file.map_err(|error| {
                Error::io("making a temporary file in the database's directory", error)
            })?,
        };
        Ok(TempFile { file, len: 0 })
    }
}

impl TempFile {
    /// Returns how many bytes it has.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "a length in bytes, not a collection")]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Appends bytes, and returns what to read them with.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; then nothing counts as appended.
    pub fn append(&mut self, bytes: &[u8]) -> Result<TempBytes> {
        self.file.write_at(bytes, self.len).map_err(|error| {
            Error::io(format!("writing {} bytes to a temporary file", bytes.len()), error)
        })?;
        let checksum = XxHash3_64::oneshot(bytes);
        let appended = TempBytes { offset: self.len, len: bytes.len(), checksum };
        self.len += bytes.len() as u64;
        Ok(appended)
    }

    /// Reads what was appended to this very file into `out`, in place of what that held.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], also, as [`InvalidData`](io::ErrorKind::InvalidData), if it is not what was
    /// appended.
    pub fn read(&self, appended: TempBytes, out: &mut Vec<u8>) -> Result<()> {
        out.clear();
        out.resize(appended.len, 0);
        let mut read = self.file.read_at(out, appended.offset);
        if read.is_ok() && XxHash3_64::oneshot(out) != appended.checksum {
            read = Err(io::Error::new(io::ErrorKind::InvalidData, "it is not what was written"));
        }
        read.map_err(|error| {
            Error::io(format!("reading {} bytes from a temporary file", appended.len), error)
        })
    }
}
