//! Storage in memory, for databases that need not outlive the process.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;

use super::Storage;

/// Bytes are kept in chunks, so that growing never copies what is there.
const CHUNK_SIZE: usize = 64 * 1024;

/// Bytes in memory that behave like a file; they are gone when it is dropped.
#[derive(Debug, Default)]
pub struct MemoryStorage {
    bytes: RwLock<Bytes>,
    locked: AtomicBool,
}

#[derive(Debug, Default)]
struct Bytes {
    len: u64,
    chunks: Vec<Box<[u8]>>,
}

impl MemoryStorage {
    /// Returns an empty storage.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Bytes {
    fn set_len(&mut self, len: u64) -> io::Result<()> {
        let too_long = |_| io::Error::from(io::ErrorKind::OutOfMemory);
        let chunks = usize::try_from(len.div_ceil(CHUNK_SIZE as u64)).map_err(too_long)?;
        self.chunks.resize_with(chunks, || vec![0; CHUNK_SIZE].into_boxed_slice());
        if len < self.len {
            // What lies behind the end must read as zero if the file grows again.
            let rest = usize::try_from(len % CHUNK_SIZE as u64).map_err(too_long)?;
            if let (Some(last), true) = (self.chunks.last_mut(), rest > 0) {
                last[rest..].fill(0);
            }
        }
        self.len = len;
        Ok(())
    }
}

/// Calls `each` with every piece of `offset..offset + len`: chunk, range in it, range in the whole.
fn pieces(
    offset: u64,
    len: usize,
    mut each: impl FnMut(usize, std::ops::Range<usize>, std::ops::Range<usize>),
) -> io::Result<()> {
    let mut at = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
    let mut done = 0;
    while done < len {
        let within = at % CHUNK_SIZE;
        let count = (CHUNK_SIZE - within).min(len - done);
        each(at / CHUNK_SIZE, within..within + count, done..done + count);
        at += count;
        done += count;
    }
    Ok(())
}

impl Storage for MemoryStorage {
    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes.read().len)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.bytes.write().set_len(len)
    }

    fn extend(&self, _: u64, to: u64) -> io::Result<()> {
        self.set_len(to)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let bytes = self.bytes.read();
        if offset.checked_add(buf.len() as u64).is_none_or(|end| end > bytes.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        pieces(offset, buf.len(), |chunk, from, to| {
            buf[to].copy_from_slice(&bytes.chunks[chunk][from]);
        })
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        let mut bytes = self.bytes.write();
        let end = offset.checked_add(buf.len() as u64).ok_or(io::ErrorKind::InvalidInput)?;
        if end > bytes.len {
            bytes.set_len(end)?;
        }
        pieces(offset, buf.len(), |chunk, to, from| {
            bytes.chunks[chunk][to].copy_from_slice(&buf[from]);
        })
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self) -> io::Result<bool> {
        // Relaxed: the flag alone decides, nothing else is read through it.
        Ok(!self.locked.swap(true, Ordering::Relaxed))
    }

    fn unlock(&self) -> io::Result<()> {
        // Relaxed: as above. Whoever is to see the bytes is told by other means.
        self.locked.store(false, Ordering::Relaxed);
        Ok(())
    }

    fn is_persistent(&self) -> bool {
        false
    }

    fn sidecar(&self, _: &str) -> io::Result<Arc<dyn Storage>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn has_sidecar(&self, _: &str) -> io::Result<bool> {
        Ok(false)
    }

    fn remove_sidecar(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn replace_sidecar(&self, _: &str, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }
}
