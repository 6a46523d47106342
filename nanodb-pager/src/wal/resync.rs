//! Putting what opening found on stable storage, before anything is built on it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::checkpoint::double_write;
use crate::checkpoint::state::DiskState;
use crate::error::{Error, Result, is_full_disk, no_room};
use crate::file::page::Frame;
use crate::file::sidecars::copy_suffix;
use crate::file::storage::Storage;
use crate::ids::{PAGE_SIZE, PageId};
use crate::shared::Shared;
use crate::wal::recovery::RecoveredLog;

/// How much is copied at once, in bytes.
const COPY_SIZE: usize = 1 << 20;

impl Shared {
    /// Puts what opening found on stable storage: nothing may be built on it before.
    ///
    /// The process before may have been killed between a write and its sync, or a sync of it has
    /// failed; what it wrote was then read from the operating system's memory. A header
    /// that a power cut takes back no longer names the log that later commits went to, and
    /// pages written in place must not be newer than the log. A sync alone does not help: after
    /// one that has failed, a system may take the bytes for saved. So all of them are written
    /// again: the logs and the double-write buffer as copies that then take their places, since in
    /// place a torn write would cost what is saved; the pages that records name and nobody vouches
    /// for as images in the double-write buffer; and the header, as its next revision.
    pub(crate) fn resync(&self, on_disk: &mut DiskState) -> Result<()> {
        self.check_writable()?;
        if self.wal.resynced.load(Ordering::Acquire) {
            return Ok(());
        }
        // Without those that an attempt before this one has copied, which a full disk has stopped.
        let files = self.wal.recovered.read().as_ref().map(RecoveredLog::files);
        let files: Vec<_> = files.into_iter().flatten().collect();
        let mut left: u64 = files.iter().map(|(_, _, len)| len).sum();
        for (file, suffix, len) in files {
            let copy = self.copy(&*file, suffix, len).map_err(|error| match error {
                Error::Io { path, doing, source } if is_full_disk(&source) => {
                    Error::Io { path, doing, source: no_room(&source, left) }
                }
                error => error,
            })?;
            left -= len;
            if let Some(recovered) = &mut *self.wal.recovered.write() {
                recovered.replace(suffix, &copy);
            }
        }
        self.save_unvouched(on_disk)?;
        let poison = |e| self.poison(Error::io("syncing what was found", e));
        let headers = on_disk.header.to_resync(&*self.storage)?;
        self.storage.sync().map_err(poison)?;
        for header in headers {
            let copy = header.first_copy();
            let (page, bytes) = (PageId::new(copy), header.encode(copy).bytes);
            self.storage.write_at(&bytes, page.offset()).map_err(poison)?;
            self.storage.sync().map_err(poison)?;
            on_disk.header = header;
        }
        self.wal.resynced.store(true, Ordering::Release);
        Ok(())
    }

    /// Writes images of pages whose records would not count without them to the double-write
    /// buffer.
    fn save_unvouched(&self, on_disk: &mut DiskState) -> Result<()> {
        let failed = |e| Error::io(format!("copying {}", double_write::SUFFIX), e);
        let recovered = self.wal.recovered.read();
        let Some(recovered) = &*recovered else { return Ok(()) };
        let pages = recovered.unvouched();
        if pages.is_empty() {
            return Ok(());
        }
        let file = self.sidecar(double_write::SUFFIX, "copying -dwb")?;
        let generation = on_disk.header.generation + 1;
        let mut tail = on_disk.double_write_tail;
        let mut frame = Frame::ZERO;
        for batch in pages.chunks(COPY_SIZE / PAGE_SIZE) {
            let (mut named, mut images) = (Vec::with_capacity(batch.len()), Vec::new());
            for &page in batch {
                let (storage, checksummer) = (&*self.storage, self.checksummer);
                recovered.load_unvouched(storage, page, checksummer, &mut frame)?;
                named.push((page, frame.checksum()));
                images.extend_from_slice(&frame.bytes);
            }
            let mut buffer = double_write::directory(self.uuid, generation, tail, &named);
            buffer.append(&mut images);
            file.write_at(&buffer, tail.end).map_err(|e| self.write_failed(failed(e)))?;
            tail.end += buffer.len() as u64;
        }
        file.sync().map_err(|e| self.poison(failed(e)))?;
        on_disk.double_write_tail = tail;
        Ok(())
    }

    /// Writes the first bytes of a sidecar to a new file, syncs it, and puts it in its
    /// place. Until that is done nothing has changed.
    fn copy(&self, from: &dyn Storage, suffix: &str, len: u64) -> Result<Arc<dyn Storage>> {
        let failed = |e| self.sidecar_failed(format!("copying {suffix}"), e);
        let new = copy_suffix(&self.uuid);
        let copy = self.storage.sidecar(&new).map_err(failed)?;
        copy.set_len(0).map_err(|e| self.write_failed(failed(e)))?;
        // A batch of images may have been cut off.
        let len = len.min(from.len().map_err(failed)?);
        let mut buffer = Vec::new();
        let mut at = 0;
        while at < len {
            let size = usize::try_from(len - at).unwrap_or(COPY_SIZE).min(COPY_SIZE);
            buffer.resize(size, 0);
            from.read_at(&mut buffer, at).map_err(failed)?;
            if let Err(error) = copy.write_at(&buffer, at) {
                // On a full disk half a copy would be in the way of everybody.
                let _ = copy.set_len(0);
                return Err(self.write_failed(failed(error)));
            }
            at += size as u64;
        }
        copy.sync()
            .and_then(|()| self.storage.replace_sidecar(&new, suffix))
            .and_then(|()| self.storage.sync_directory())
            .map_err(|e| self.poison(failed(e)))?;
        drop(copy);
        self.storage.sidecar(suffix).map_err(failed)
    }
}
