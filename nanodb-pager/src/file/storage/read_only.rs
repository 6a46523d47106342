//! Storage that is read, and never written to.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::{LockHolders, Storage};

/// Another storage and its sidecars, all of them as they are: what would change anything is
/// refused with [`io::ErrorKind::PermissionDenied`].
#[derive(Clone, Debug)]
pub struct ReadOnly(Arc<dyn Storage>);

impl ReadOnly {
    /// Wraps `storage`.
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self(storage)
    }
}

fn refused<T>() -> io::Result<T> {
    Err(io::ErrorKind::PermissionDenied.into())
}

impl Storage for ReadOnly {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        refused()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_at(buf, offset)
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        refused()
    }

    fn sync(&self) -> io::Result<()> {
        refused()
    }

    fn lock(&self) -> io::Result<bool> {
        self.0.lock()
    }

    fn lock_shared(&self) -> io::Result<bool> {
        self.0.lock_shared()
    }

    fn unlock(&self) -> io::Result<()> {
        self.0.unlock()
    }

    fn lock_holders(&self) -> LockHolders {
        self.0.lock_holders()
    }

    fn path(&self) -> Option<&Path> {
        self.0.path()
    }

    fn is_persistent(&self) -> bool {
        self.0.is_persistent()
    }

    fn sidecar(&self, suffix: &str) -> io::Result<Arc<dyn Storage>> {
        // Opening one that is not there would make it.
        if !self.0.has_sidecar(suffix)? {
            return refused();
        }
        Ok(Arc::new(Self(self.0.sidecar(suffix)?)))
    }

    fn has_sidecar(&self, suffix: &str) -> io::Result<bool> {
        self.0.has_sidecar(suffix)
    }

    fn found_sidecar(&self, suffix: &str) -> io::Result<Option<Arc<dyn Storage>>> {
        let found = self.0.found_sidecar(suffix)?;
        Ok(found.map(|found| Arc::new(Self(found)) as Arc<dyn Storage>))
    }

    fn remove_sidecar(&self, _: &str) -> io::Result<()> {
        refused()
    }

    fn replace_sidecar(&self, _: &str, _: &str) -> io::Result<()> {
        refused()
    }

    fn add_name(&self, _: &str) -> io::Result<()> {
        refused()
    }

    fn replace_by_sidecar(&self, _: &str) -> io::Result<()> {
        refused()
    }

    fn sync_directory(&self) -> io::Result<()> {
        refused()
    }
}
