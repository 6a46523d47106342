//! Write transactions: private copies of pages, installed all at once.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use super::early_write::UnloggedPage;
use super::page::{PageMut, TxPage};
use super::page_set::{PageSet, PrivatePage};
use super::view::{TxView, ViewPage};
use crate::cache::guard::PageGuard;
use crate::durability::Durability;
use crate::error::{Error, Result};
use crate::file::page::Frame;
use crate::handle::PagerHandle;
use crate::ids::{Extent, Owner, PAGE_SIZE, PageId, PageKind, Seq};
use crate::shared::Shared;
use crate::space::free_map::FreeMap;
use crate::space::quota::PageRequest;
use crate::space::runs::overlaps;
use crate::space::unlogged::PageOrigin;
use crate::txn::dirty_ranges::DirtyRanges;

/// A change to any number of pages that happens as a whole or not at all.
///
/// Pages are changed in private copies, which no reader sees before
/// [`commit`](Self::commit). A transaction that is dropped leaves no trace.
///
/// Transactions run side by side as long as no two write the same page: the second
/// to commit then gets [`Error::WriteConflict`].
#[must_use = "a transaction that is dropped does nothing"]
pub struct WriteTx {
    pub(super) shared: Arc<PagerHandle>,
    pub(super) pages: PageSet,
    /// Pages that this transaction has taken from the free map, by the first page's number.
    pub(super) allocated: BTreeMap<u32, u32>,
    /// Pages that it gives back, by the first page's number.
    pub(super) freed: BTreeMap<u32, u32>,
    /// Pages that it has written to the data file.
    pub(super) unlogged: BTreeMap<PageId, UnloggedPage>,
    /// How often commits had freed pages when it began.
    pub(super) frees: u64,
    /// Held by each view of it, too; made with the first.
    pub(super) views: OnceLock<Arc<()>>,
    /// When it has so many private pages, those that can be are written.
    pub(super) gather_until: usize,
    pub(super) durability: Durability,
    pub(super) may_use_reserve: bool,
    pub(super) charged_bytes: usize,
    pub(super) metadata_root_growth: usize,
}

/// Returns how many private pages are gathered before those that can be are written: what the cache
/// can spare, and no more than a transaction may have, or the limit would be seen too late.
fn gather_pages(shared: &Shared) -> usize {
    let gather_max = shared.cache.gather_pages_max();
    if !shared.storage.is_persistent() {
        return gather_max;
    }
    gather_max.min(shared.options.transaction_bytes_max / PAGE_SIZE)
}

impl WriteTx {
    pub(crate) fn new(shared: Arc<PagerHandle>) -> Self {
        Self {
            durability: shared.options.durability,
            may_use_reserve: false,
            charged_bytes: 0,
            metadata_root_growth: 0,
            frees: shared.space.frees.load(Ordering::Relaxed),
            gather_until: gather_pages(&shared),
            shared,
            pages: PageSet::default(),
            allocated: BTreeMap::new(),
            freed: BTreeMap::new(),
            unlogged: BTreeMap::new(),
            views: OnceLock::new(),
        }
    }

    /// Returns the page as this transaction sees it: its own copy, else the newest installed
    /// version.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`], [`Error::Io`].
    #[inline]
    pub fn page(&self, page: PageId) -> Result<TxPage<'_>> {
        if let Some(at) = self.pages.find(page) {
            return Ok(TxPage::private(&self.pages[at].frame));
        }
        Ok(TxPage::installed(self.unchanged(page)?))
    }

    /// Returns the page as [`page`](Self::page) shows it, to keep: it stays what it is
    /// whatever the transaction does next.
    ///
    /// # Errors
    ///
    /// Same as [`page`](Self::page).
    pub fn guard(&self, page: PageId) -> Result<PageGuard> {
        let frame = match self.pages.find(page) {
            Some(at) => Arc::clone(&self.pages[at].frame),
            None => self.unchanged(page)?,
        };
        Ok(PageGuard::owned(frame))
    }

    /// A page that has no private copy in memory.
    fn unchanged(&self, page: PageId) -> Result<Arc<Frame>> {
        match self.unlogged.get(&page) {
            Some(written) => self.shared.read_back(page, written.checksum),
            None => self.shared.newest(page),
        }
    }

    /// Returns all pages of `owner` as the transaction sees them now, to keep.
    ///
    /// Costs a reference count for each page that it has changed; one of these that it
    /// changes again is copied first. As long as there is a view, pages that were written to
    /// the file and changed again stay in memory.
    pub fn view(&self, owner: Owner) -> TxView {
        let written = self.unlogged.iter();
        let written = written.map(|(&page, unlogged)| (page, ViewPage::Written(unlogged.checksum)));
        let changed = self.pages.iter().filter(|page| page.frame.owner() == owner);
        let changed = changed.map(|page| (page.id, ViewPage::InMemory(Arc::clone(&page.frame))));
        // Later: a page that was written and then changed again is in both.
        let pages = written.chain(changed).collect();
        TxView::new(
            Arc::clone(&self.shared),
            pages,
            Arc::clone(self.views.get_or_init(Arc::default)),
        )
    }

    /// Returns the page for changing: a private copy, made at the first call.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`], [`Error::Io`]; [`Error::NotAllocated`] for a page that is the
    /// pager's own, free, or behind the end; [`Error::TransactionTooLarge`]. Then the
    /// transaction is as it was.
    #[inline]
    pub fn page_mut(&mut self, page: PageId) -> Result<PageMut<'_>> {
        let at = match self.pages.find(page) {
            Some(at) => at,
            None => self.make_private(page)?,
        };
        Ok(self.pages[at].view())
    }

    fn make_private(&mut self, id: PageId) -> Result<usize> {
        self.shared.check_access()?;
        self.check_allocated(id, "change")?;
        self.make_room()?;
        if let Some(written) = self.unlogged.get(&id) {
            let page = self.take_back(id, written)?;
            return Ok(self.pages.push(page));
        }
        let base = self.shared.newest(id)?;
        Ok(self.pages.push(PrivatePage {
            id,
            frame: self.shared.cache.spare_frames.copy(&base),
            base: Some(base),
            fresh: false,
            dirty: DirtyRanges::default(),
        }))
    }

    /// Makes sure that one more private page may be kept in memory.
    #[inline]
    fn make_room(&mut self) -> Result<()> {
        if self.pages.len() < self.gather_until { Ok(()) } else { self.make_room_now() }
    }

    #[cold]
    fn make_room_now(&mut self) -> Result<()> {
        let to_come = self.write_early()?;
        let bytes = (self.pages.len() + 1 - to_come) * PAGE_SIZE;
        let bytes_max = self.shared.options.transaction_bytes_max;
        if bytes > bytes_max && self.shared.storage.is_persistent() {
            // Tried again at the next page: some of these may be given back.
            self.gather_until = 0;
            return Err(Error::TransactionTooLarge { bytes, bytes_max });
        }
        Ok(())
    }

    /// Takes `pages` pages that lie side by side. Nothing is written to them yet; each
    /// begins with [`init_page`](Self::init_page), in this transaction or a later one.
    ///
    /// # Errors
    ///
    /// [`Error::Full`] when page numbers run out; [`Error::QuotaExceeded`] if the file may not grow
    /// so long.
    pub fn allocate_extent(&mut self, pages: u32) -> Result<Extent> {
        if pages == 0 {
            return Ok(Extent::new(PageId::new(0), 0));
        }
        self.take(pages, false)
    }

    /// Takes up to `pages` pages that lie side by side. Where the file has free pages but not that
    /// many side by side, or may not grow by as many, fewer are taken: one at least.
    ///
    /// # Errors
    ///
    /// Same as [`allocate_extent`](Self::allocate_extent).
    pub fn allocate_up_to(&mut self, pages: u32) -> Result<Extent> {
        if pages == 0 {
            return self.allocate_extent(0);
        }
        self.take(pages, true)
    }

    fn take(&mut self, pages: u32, or_fewer: bool) -> Result<Extent> {
        self.shared.check_access()?;
        let may_use_reserve = self.may_use_reserve;
        let extent = self.shared.reserve(PageRequest { pages, or_fewer, may_use_reserve })?;
        self.allocated.insert(extent.start.get(), extent.pages);
        Ok(extent)
    }

    /// Makes `page` a fresh page, its body all zero, and returns it for changing.
    ///
    /// Meant for a page that was not read since it was allocated. What it held
    /// before is gone for snapshots too, unless this transaction has called
    /// [`page_mut`](Self::page_mut) for it.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllocated`] for a page that is the pager's own, free, or behind the
    /// end, or for a kind or owner that is the pager's own; [`Error::TransactionTooLarge`];
    /// [`Error::Io`]. Then the transaction is as it was.
    pub fn init_page(&mut self, page: PageId, kind: PageKind, owner: Owner) -> Result<PageMut<'_>> {
        self.shared.check_access()?;
        let own = kind.get() < PageKind::FIRST_FREE.get() || owner == Owner::PAGER;
        if own {
            return Err(Error::NotAllocated { page, doing: "initialise as the pager's own" });
        }
        self.check_allocated(page, "initialise")?;
        self.make_room()?;
        let mut frame = self.shared.cache.spare_frames.any();
        Arc::make_mut(&mut frame).init(page, kind, owner);
        // Nothing is dirty yet: the log begins such a page from zeros.
        let dirty = DirtyRanges::default();
        let fresh = PrivatePage { id: page, frame, base: None, fresh: true, dirty };
        let at = match self.pages.find(page) {
            // The copy is replaced, but what it was copied from is still what the
            // page was before: other transactions and readers depend on it.
            Some(at) => {
                let base = self.pages[at].base.take();
                self.pages[at] = PrivatePage { base, ..fresh };
                at
            }
            None => self.pages.push(fresh),
        };
        Ok(self.pages[at].view())
    }

    /// Takes one page and makes it a fresh one.
    ///
    /// # Errors
    ///
    /// Same as [`allocate_extent`](Self::allocate_extent) and [`init_page`](Self::init_page).
    pub fn allocate(&mut self, kind: PageKind, owner: Owner) -> Result<PageId> {
        let page = self.allocate_extent(1)?.start;
        self.init_page(page, kind, owner)?;
        Ok(page)
    }

    /// Gives a page back, once this transaction is committed and no reader wants it.
    ///
    /// # Errors
    ///
    /// Same as [`free_extent`](Self::free_extent).
    pub fn free(&mut self, page: PageId) -> Result<()> {
        self.free_extent(Extent::new(page, 1))
    }

    /// Gives pages back, once this transaction is committed and no reader wants them.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllocated`] if one of them is the pager's own, free already or behind the end.
    pub fn free_extent(&mut self, extent: Extent) -> Result<()> {
        self.shared.check_access()?;
        if extent.pages == 0 || !self.may_write(&self.shared.space.allocator.lock(), extent) {
            return Err(Error::NotAllocated { page: extent.start, doing: "free" });
        }
        self.freed.insert(extent.start.get(), extent.pages);
        Ok(())
    }

    /// Overrides the file's durability for this transaction; see [`Durability`].
    pub fn set_durability(&mut self, durability: Durability) {
        self.durability = durability;
    }

    /// Lets the transaction use what is kept for those that make room: on a full disk, a part of
    /// the log, 64 KiB at the default size; and, for pages that it takes from now on, those that
    /// are kept back of a [limited](crate::Options::file_bytes_max) file.
    ///
    /// That does for a dozen commits that are synced one by one, or for hundreds that are not. Then
    /// the commit makes a checkpoint and the log is reused: that takes nothing of the disk where
    /// the file system writes in place. So such commits never run out of room, if the record of
    /// each is within the 64 KiB. A longer one may be refused; the error says how many bytes it
    /// needs.
    pub fn may_use_reserve(&mut self) {
        self.may_use_reserve = true;
    }

    /// Charges the commit with `bytes` of memory that the layer above keeps because of it until a
    /// checkpoint shows it. They count as its metadata does: a checkpoint is due when what waits
    /// for one takes half of the cache's budget.
    pub fn charge_memory(&mut self, bytes: usize) {
        self.charged_bytes = bytes;
    }

    /// Announces that the commit makes the metadata root longer by up to `bytes`, besides those for
    /// the extents that it takes and gives back: pages are kept for as long a root.
    pub fn grow_metadata_root(&mut self, bytes: usize) {
        self.metadata_root_growth += bytes;
    }

    /// Returns how many bytes of pages the transaction holds in memory. Pages that it has taken
    /// itself are written to the file when too many gather, and do not count then.
    pub fn bytes(&self) -> usize {
        self.pages.len() * PAGE_SIZE
    }

    /// Commits: installs the changes and publishes them, so that readers see all of them at once.
    ///
    /// `metadata` says what changed besides the pages; see
    /// [`CheckpointHooks`](crate::CheckpointHooks). A transaction that changed nothing, with empty
    /// `metadata`, is no commit of its own.
    ///
    /// # Errors
    ///
    /// Same as [`install`](Self::install).
    pub fn commit(self, metadata: &[u8]) -> Result<Seq> {
        self.install(metadata)?.publish()
    }

    /// Discards all changes; dropping the transaction does the same.
    pub fn rollback(self) {}

    fn check_allocated(&self, page: PageId, doing: &'static str) -> Result<()> {
        // Whoever changes one page again and again need not look it up each time.
        let frees = self.shared.space.frees.load(Ordering::Relaxed);
        let is_known = || self.shared.cache.table.slot(page).in_use_at(frees);
        if self.freed.is_empty() && self.shared.space.check_bounds(page).is_ok() && is_known() {
            return Ok(());
        }
        let allocator = self.shared.space.allocator.lock();
        let extent = Extent::new(page, 1);
        if !self.may_write(&allocator, extent) {
            return Err(Error::NotAllocated { page, doing });
        }
        if !overlaps(&self.allocated, extent) {
            self.shared.cache.table.slot(page).set_in_use_at(frees);
        }
        Ok(())
    }

    /// Whether the pages are in use, not by another open transaction, and not given
    /// back by this one.
    fn may_write(&self, allocator: &FreeMap, extent: Extent) -> bool {
        allocator.in_use(extent)
            && !overlaps(&self.freed, extent)
            && (!allocator.is_reserved(extent) || overlaps(&self.allocated, extent))
    }
}

impl Drop for WriteTx {
    fn drop(&mut self) {
        // Before the pages go back: whoever takes them next may write them directly, too.
        if !self.unlogged.is_empty() {
            self.shared.space.unlogged.give_up(written(&self.unlogged));
        }
        if !self.allocated.is_empty() {
            let mut allocator = self.shared.space.allocator.lock();
            extents(&self.allocated).for_each(|extent| allocator.cancel(extent));
        }
        if self.shared.wal.met_full_disk.load(Ordering::Relaxed) {
            self.shared.request_room();
        }
    }
}

/// The extents of a map from first page to length.
pub(super) fn extents(map: &BTreeMap<u32, u32>) -> impl Iterator<Item = Extent> + '_ {
    map.iter().map(|(&start, &pages)| Extent::new(PageId::new(start), pages))
}

/// What the register of unlogged pages is given back.
pub(super) fn written(
    pages: &BTreeMap<PageId, UnloggedPage>,
) -> impl Iterator<Item = (PageId, PageOrigin)> + '_ {
    pages.iter().map(|(&page, written)| (page, written.origin))
}

impl fmt::Debug for WriteTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteTx")
            .field("pages", &self.pages.len())
            .field("durability", &self.durability)
            .finish_non_exhaustive()
    }
}
