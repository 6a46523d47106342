//! Getting at pages: from memory, from disk, from what a crash left in the logs.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::cache::guard::PageGuard;
use crate::cache::page_table::Slot;
use crate::cache::snapshot_registry::DropScope;
use crate::error::{Corruption, Error, Result};
use crate::file::page::Frame;
use crate::ids::{PageId, Seq};
use crate::shared::Shared;
use crate::space::unlogged::OnDisk;

impl Shared {
    /// Why there is no page behind the end of the file.
    #[cold]
    pub(crate) fn behind_the_end(&self, page: PageId, at: Seq) -> Error {
        match self.newest(page) {
            Ok(_) | Err(Error::WriteConflict { .. }) => Error::NoVersion { page, at },
            Err(error) => error,
        }
    }

    /// Finds a version that is not the newest one, or not in memory.
    #[cold]
    pub(crate) fn page_slow(&self, page: PageId, slot: &Slot, at: Seq) -> Result<PageGuard> {
        // First, so that no newest version is read from disk in vain.
        if let Some(older) = slot.find_older(at) {
            return Ok(PageGuard::owned(self.read_version(page, &older)?));
        }
        let newest = self.newest(page).map_err(|error| match error {
            Error::WriteConflict { page } => Error::NoVersion { page, at },
            error => error,
        })?;
        if newest.seq() <= at {
            return Ok(PageGuard::owned(newest));
        }
        // It may have been replaced in between.
        let older = slot.find_older(at).ok_or(Error::NoVersion { page, at })?;
        Ok(PageGuard::owned(self.read_version(page, &older)?))
    }

    /// The newest installed version of a page, from memory or from disk.
    pub(crate) fn newest(&self, page: PageId) -> Result<Arc<Frame>> {
        self.space
            .check_bounds(page)
            .map_err(|error| self.space.unless_truncated(page, error.into()))?;
        let slot = self.cache.table.slot(page);
        if let Some(frame) = slot.frame.load_full() {
            slot.touch();
            return Ok(frame);
        }
        let loaded =
            self.load_newest(page, slot).map_err(|error| self.space.unless_truncated(page, error));
        let (frame, admitted) = loaded?;
        if admitted {
            self.cache.admit(&[page]);
        }
        Ok(frame)
    }

    /// Says besides whether it was not in memory.
    fn load_newest(&self, page: PageId, slot: &Slot) -> Result<(Arc<Frame>, bool)> {
        let _stripe = self.cache.stripes.lock(page);
        if let Some(frame) = slot.frame.load_full() {
            return Ok((frame, false));
        }
        let frame = self.load(page)?;
        slot.frame.store(Some(Arc::clone(&frame)));
        Ok((frame, true))
    }

    /// The commit of the newest installed version of a page.
    pub(crate) fn newest_seq(&self, page: PageId) -> Result<Seq> {
        match self.cache.table.slot(page).frame.load().as_ref() {
            Some(frame) => Ok(frame.seq()),
            None => Ok(self.newest(page)?.seq()),
        }
    }

    /// The newest version of a page that is not in memory. Under the stripe.
    ///
    /// Fails with [`Error::WriteConflict`] for a page that a transaction is writing.
    fn load(&self, page: PageId) -> Result<Arc<Frame>> {
        self.check_process()?;
        let _reading = self.begin_use()?;
        let on_disk = self.space.unlogged.on_disk(page);
        if on_disk == OnDisk::Open {
            return Err(Error::WriteConflict { page });
        }
        let mut frame = self.cache.spare_frames.any();
        let private = Arc::make_mut(&mut frame);
        if let Some(recovered) = &*self.wal.recovered.read() {
            let newest = Seq::new(self.checkpoint.disk_seq.load(Ordering::Relaxed));
            if recovered.load(&*self.storage, page, newest, self.checksummer, private)? {
                return Ok(frame);
            }
        }
        self.storage
            .read_at(&mut private.bytes, page.offset())
            .map_err(|e| self.io(format!("reading {page}"), e))?;
        self.check_from_disk(page, private)?;
        if let OnDisk::Since(seq) = on_disk
            && private.seq() < seq
        {
            private.set_seq(seq);
        }
        Ok(frame)
    }

    /// The newest version of a page, marked so that it stays in memory until `checkpoint`
    /// has written it. While nobody commits.
    pub(crate) fn newest_due(&self, page: PageId, checkpoint: u64) -> Result<Arc<Frame>> {
        self.space.check_bounds(page)?;
        let slot = self.cache.table.slot(page);
        let (frame, admitted) = {
            let _stripe = self.cache.stripes.lock(page);
            let (frame, admitted) = match slot.frame.load_full() {
                Some(frame) => (frame, false),
                None => (self.load(page)?, true),
            };
            // Before the cache learns of it: in one full of pages that are due, it
            // would be the only one that can go.
            slot.set_due(checkpoint);
            if admitted {
                slot.frame.store(Some(Arc::clone(&frame)));
            }
            (frame, admitted)
        };
        if admitted {
            self.cache.admit(&[page]);
        }
        Ok(frame)
    }

    /// What the file holds of a page, whatever the logs say of it; nothing if that is no page.
    pub(crate) fn sound_in_file(&self, page: PageId) -> Result<Option<Arc<Frame>>> {
        let mut frame = self.cache.spare_frames.any();
        let private = Arc::make_mut(&mut frame);
        self.storage
            .read_at(&mut private.bytes, page.offset())
            .map_err(|e| self.io(format!("reading {page}"), e))?;
        let is_sound = self.checksummer.verify(page, private).is_ok();
        Ok(is_sound.then_some(frame))
    }

    /// Checks what a page that comes from disk says of itself.
    pub(crate) fn check_from_disk(&self, page: PageId, frame: &Frame) -> Result<(), Corruption> {
        self.checksummer.verify(page, frame)?;
        let newest = self.checkpoint.disk_seq.load(Ordering::Relaxed);
        if frame.seq().get() > newest {
            return Err(Corruption::FromTheFuture { page, seq: frame.seq().get(), newest });
        }
        Ok(())
    }

    /// Frees pages that were taken and given back while snapshots are open that know nothing of
    /// them. Without this a snapshot that is kept would let the file grow with all that is freed.
    pub(crate) fn prune_unseen(&self) {
        // Before the snapshots are listed: who registers later does so at this or a later one.
        let published = self.publication.published();
        let snapshots = self.cache.snapshots.within(Seq::ZERO..published.next());
        let checkpointed = Seq::new(self.checkpoint.done_seq.load(Ordering::Relaxed));
        self.space.allocator.lock().release_unseen(published.min(checkpointed), &snapshots);
    }

    /// Drops versions and frees pages that nobody reads any more.
    pub(crate) fn prune(&self) {
        let published = || self.publication.published();
        let horizon = self.cache.snapshots.prune(published, |version, with| match with {
            DropScope::One => self.cache.drop_version(version),
            DropScope::AllOlder => self.cache.drop_versions(version),
        });
        self.space.unlogged.forget(horizon);
        self.cache.clock.set_unlogged_bytes(self.space.unlogged.later_bytes());
        let mut allocator = self.space.allocator.lock();
        if allocator.has_pending() {
            // What the last checkpoint shows must stay until the next: a crash would
            // bring it back. In memory nothing comes back.
            let checkpointed = Seq::new(self.checkpoint.done_seq.load(Ordering::Relaxed));
            let persistent = self.storage.is_persistent();
            allocator.release_pending(if persistent { horizon.min(checkpointed) } else { horizon });
        }
    }
}
