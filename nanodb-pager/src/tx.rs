//! Write transactions: private copies of pages, installed all at once.

mod direct;
mod frozen;
mod view;

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use smallvec::SmallVec;

use crate::checkpoint::Need;
use crate::direct::Virgin;
use crate::dirty::DirtyRanges;
use crate::durability::Durability;
use crate::error::{Error, Result, is_full_disk};
use crate::free_map::{FreeMap, overlaps};
use crate::guard::PageGuard;
use crate::ids::{BODY_SIZE, Extent, Owner, PAGE_SIZE, PageId, PageKind, Seq};
use crate::installed::Installed;
use crate::log::Lsn;
use crate::log::entry::Builder;
use crate::log::writer::{RECORD_LEN_MAX, is_within_reserve};
use crate::opened::Opened;
use crate::page::Frame;
use crate::pager::{Commit, Shared};
use crate::quota::Asked;
use crate::recovery::SpaceChange;
use crate::reserve::ROOT_BYTES_PER_EXTENT;
use crate::snapshots::Superseded;

use self::direct::DirectPage;
use self::frozen::Seen;
pub use self::frozen::TxView;
pub use self::view::{PageMut, TxPage};

/// A change to any number of pages that happens as a whole or not at all.
///
/// Pages are changed in private copies; nobody sees them before
/// [`commit`](Self::commit). A transaction that is dropped leaves no trace.
///
/// Transactions run side by side as long as no two write the same page: the second
/// to commit then gets [`Error::WriteConflict`].
#[must_use = "a transaction that is dropped does nothing"]
pub struct WriteTx {
    shared: Arc<Opened>,
    pages: SmallVec<[PrivatePage; 1]>,
    /// Where a page is in `pages`; only kept when there are more than a few.
    index: Option<HashMap<PageId, usize, ahash::RandomState>>,
    /// Pages that this transaction has taken from the free map, by the first page's number.
    allocated: BTreeMap<u32, u32>,
    /// Pages that it gives back, by the first page's number.
    freed: BTreeMap<u32, u32>,
    /// Pages that it has written to the data file.
    direct: BTreeMap<PageId, DirectPage>,
    /// How often commits had freed pages when it began.
    frees: u64,
    /// Held by each view of it, too; made with the first.
    views: OnceLock<Arc<()>>,
    /// When it has so many private pages, those that can be are written.
    gather_until: usize,
    durability: Durability,
    gives_space_back: bool,
    kept_bytes: usize,
    root_grows: usize,
}

/// So often a commit that gives space back asks for a checkpoint to make room in the log: others
/// may take it in between.
const TRIES_MAX: u32 = 16;

/// So many bytes of relaxed commits gather before they are written.
const RELAXED_BYTES_MAX: usize = 64 * 1024;

/// The longest entry of a direct page: its number, a tag and a checksum.
const DIRECT_ENTRY_MAX: usize = 5 + 1 + 8;

/// Up to so many pages are found by looking at each.
const LINEAR_MAX: usize = 8;

struct PrivatePage {
    id: PageId,
    /// Held by nobody else until it is installed.
    frame: Arc<Frame>,
    /// The version that was copied; none for a fresh page.
    base: Option<Arc<Frame>>,
    /// Whether the page began from zeros in this transaction.
    fresh: bool,
    dirty: DirtyRanges,
}

impl PrivatePage {
    /// Whether the ranges marked hold every byte that differs from what the log begins from.
    fn is_marked(&self) -> bool {
        let before = match &self.base {
            Some(base) if !self.fresh => base.body(),
            _ => Frame::ZERO.body(),
        };
        self.dirty.cover(before, self.frame.body())
    }

    fn view(&mut self) -> PageMut<'_> {
        PageMut::new(Arc::make_mut(&mut self.frame), &mut self.dirty)
    }
}

impl WriteTx {
    pub(crate) fn new(shared: Arc<Opened>) -> Self {
        Self {
            durability: shared.options.durability,
            gives_space_back: false,
            kept_bytes: 0,
            root_grows: 0,
            frees: shared.frees.load(Ordering::Relaxed),
            gather_until: shared.gather_pages_max(),
            shared,
            pages: SmallVec::new(),
            index: None,
            allocated: BTreeMap::new(),
            freed: BTreeMap::new(),
            direct: BTreeMap::new(),
            views: OnceLock::new(),
        }
    }

    /// The page as this transaction sees it: its own copy, else the newest installed version.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`], [`Error::Io`].
    #[inline]
    pub fn page(&self, page: PageId) -> Result<TxPage<'_>> {
        if let Some(at) = self.find(page) {
            return Ok(TxPage::private(&self.pages[at].frame));
        }
        Ok(TxPage::installed(self.unchanged(page)?))
    }

    /// The page as [`page`](Self::page) shows it, to keep: it stays what it is
    /// whatever the transaction does next.
    ///
    /// # Errors
    ///
    /// As [`page`](Self::page).
    pub fn guard(&self, page: PageId) -> Result<PageGuard> {
        let frame = match self.find(page) {
            Some(at) => Arc::clone(&self.pages[at].frame),
            None => self.unchanged(page)?,
        };
        Ok(PageGuard::owned(frame))
    }

    /// A page that has no private copy in memory.
    fn unchanged(&self, page: PageId) -> Result<Arc<Frame>> {
        match self.direct.get(&page) {
            Some(written) => self.shared.read_back(page, written.checksum),
            None => self.shared.newest(page),
        }
    }

    /// All pages of `owner` as the transaction sees them now, to keep.
    ///
    /// Costs a reference count for each page that it has changed; one of these that it
    /// changes again is copied first. As long as there is a view, pages that were written to
    /// the file and changed again stay in memory.
    pub fn view(&self, owner: Owner) -> TxView {
        let written = self.direct.iter();
        let written = written.map(|(&page, direct)| (page, Seen::Written(direct.checksum)));
        let changed = self.pages.iter().filter(|page| page.frame.owner() == owner);
        let changed = changed.map(|page| (page.id, Seen::InMemory(Arc::clone(&page.frame))));
        // Later: a page that was written and then changed again is in both.
        let pages = written.chain(changed).collect();
        TxView::new(
            Arc::clone(&self.shared),
            pages,
            Arc::clone(self.views.get_or_init(Arc::default)),
        )
    }

    /// The page for changing: a private copy, made at the first call.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`], [`Error::Io`]; [`Error::NotAllocated`] for a page that is the
    /// pager's own, free, or behind the end; [`Error::TransactionTooLarge`]. Then the
    /// transaction is as it was.
    #[inline]
    pub fn page_mut(&mut self, page: PageId) -> Result<PageMut<'_>> {
        let at = match self.find(page) {
            Some(at) => at,
            None => self.make_private(page)?,
        };
        Ok(self.pages[at].view())
    }

    fn make_private(&mut self, id: PageId) -> Result<usize> {
        self.shared.check_access()?;
        self.check_allocated(id, "change")?;
        self.make_room()?;
        if let Some(written) = self.direct.get(&id) {
            let page = self.take_back(id, written)?;
            return Ok(self.push(page));
        }
        let base = self.shared.newest(id)?;
        Ok(self.push(PrivatePage {
            id,
            frame: self.shared.frames.copy(&base),
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
        self.write_early()?;
        let bytes = (self.pages.len() + 1) * PAGE_SIZE;
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

    /// As [`allocate_extent`](Self::allocate_extent), but where the file has free pages and none of
    /// them lie side by side in such number, or may not grow by as many, fewer are taken: one at
    /// least.
    ///
    /// # Errors
    ///
    /// As [`allocate_extent`](Self::allocate_extent).
    pub fn allocate_up_to(&mut self, pages: u32) -> Result<Extent> {
        if pages == 0 {
            return self.allocate_extent(0);
        }
        self.take(pages, true)
    }

    fn take(&mut self, pages: u32, or_fewer: bool) -> Result<Extent> {
        self.shared.check_access()?;
        let gives_space_back = self.gives_space_back;
        let extent = self.shared.reserve(Asked { pages, or_fewer, gives_space_back })?;
        self.allocated.insert(extent.start.get(), extent.pages);
        Ok(extent)
    }

    /// Makes `page` a fresh page: its body all zero.
    ///
    /// Meant for a page that nobody has read since it was allocated. What it held
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
        let mut frame = self.shared.frames.any();
        Arc::make_mut(&mut frame).init(page, kind, owner);
        // Nothing is dirty yet: the log begins such a page from zeros.
        let dirty = DirtyRanges::default();
        let fresh = PrivatePage { id: page, frame, base: None, fresh: true, dirty };
        let at = match self.find(page) {
            // The copy is replaced, but what it was copied from is still what the
            // page was before: other transactions and readers depend on it.
            Some(at) => {
                let base = self.pages[at].base.take();
                self.pages[at] = PrivatePage { base, ..fresh };
                at
            }
            None => self.push(fresh),
        };
        Ok(self.pages[at].view())
    }

    /// Takes one page and makes it a fresh one.
    ///
    /// # Errors
    ///
    /// As [`allocate_extent`](Self::allocate_extent) and [`init_page`](Self::init_page).
    pub fn allocate(&mut self, kind: PageKind, owner: Owner) -> Result<PageId> {
        let page = self.allocate_extent(1)?.start;
        self.init_page(page, kind, owner)?;
        Ok(page)
    }

    /// Gives a page back, once this transaction is committed and no reader wants it.
    ///
    /// # Errors
    ///
    /// As [`free_extent`](Self::free_extent).
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
        if extent.pages == 0 || !self.may_write(&self.shared.allocator.lock(), extent) {
            return Err(Error::NotAllocated { page: extent.start, doing: "free" });
        }
        self.freed.insert(extent.start.get(), extent.pages);
        Ok(())
    }

    /// Asks for another promise than the file's default; see [`Durability`].
    pub fn set_durability(&mut self, durability: Durability) {
        self.durability = durability;
    }

    /// Says that the transaction makes room: on a full disk its commit may then use a part of
    /// the log that is kept for such commits alone: 64 KiB at the default size. And what it takes
    /// from now on may be of those pages that are kept back of a
    /// [limited](crate::Options::file_bytes_max) file.
    ///
    /// That does for a dozen commits that are synced one by one, or for hundreds that are not. Then
    /// the commit makes a checkpoint and the log begins anew: that takes nothing of the disk where
    /// the file system writes in place. So such commits go on for ever, if the record of
    /// each is within the 64 KiB. A longer one may be refused; the error says how many bytes it
    /// needs.
    pub fn give_space_back(&mut self) {
        self.gives_space_back = true;
    }

    /// Says how many bytes of memory the layer above keeps because of this commit until a
    /// checkpoint shows it. They count as its note does: a checkpoint is due when what waits for
    /// one takes half of the cache's budget.
    pub fn keeps_in_memory(&mut self, bytes: usize) {
        self.kept_bytes = bytes;
    }

    /// Says by how many bytes the commit makes the root longer at most, besides those for the
    /// extents that it takes and gives back: pages are kept for as long a root.
    pub fn grows_root(&mut self, bytes: usize) {
        self.root_grows += bytes;
    }

    /// How many bytes of pages the transaction holds in memory. Pages that it has taken
    /// itself are written to the file when too many gather, and do not count then.
    pub fn bytes(&self) -> usize {
        self.pages.len() * PAGE_SIZE
    }

    /// Installs the changes and publishes them: readers see all of them at once.
    ///
    /// `note` says what changed besides the pages; see [`NoteFolder`](crate::NoteFolder).
    /// A transaction that changed nothing, with an empty note, is no commit of its own.
    ///
    /// # Errors
    ///
    /// As [`install`](Self::install).
    pub fn commit(self, note: &[u8]) -> Result<Seq> {
        self.install(note)?.publish()
    }

    /// Gives up all changes; dropping the transaction does the same.
    pub fn rollback(self) {}

    /// Makes the changes what later transactions build on, without showing them to
    /// readers yet.
    ///
    /// The caller does what must be done before anybody sees them, then calls
    /// [`Installed::publish`]. Until then no later commit of anyone is published: a
    /// thread that holds one and commits another waits for itself for ever.
    ///
    /// # Errors
    ///
    /// [`Error::WriteConflict`] if another transaction has changed or freed a page meanwhile,
    /// [`Error::NotAllocated`] if one has freed a page that this one frees too;
    /// [`Error::TransactionTooLarge`]; [`Error::Io`] if there is no room for the log;
    /// [`Error::Poisoned`], [`Error::Closed`]; [`Error::ReadOnly`], as from all that changes pages of
    /// a file that is open [read-only](crate::Options::read_only). Then nothing has changed.
    pub fn install(mut self, note: &[u8]) -> Result<Installed> {
        let shared = Arc::clone(&self.shared);
        if let Err(error) = shared.check_access() {
            // It can have changed nothing, but may say that it has.
            let seq = shared.publication.published();
            return if note.is_empty() { Ok(Installed::nothing(shared, seq)) } else { Err(error) };
        }
        shared.ready_to_write()?;
        self.drop_freed();
        self.write_at_commit()?;
        let mut payload = Payload::empty();
        self.encode(note, &mut payload.0)?;
        if self.is_empty() && note.is_empty() {
            let commit = shared.commit.lock();
            shared.check_writable()?;
            let seq = commit.installed;
            drop(commit);
            return Ok(Installed::nothing(shared, seq));
        }
        let mut tries = self.tries_max(payload.0.len());
        let (mut commit, seq, logged) = loop {
            let mut commit = shared.lock_to_commit()?;
            shared.check_writable()?;
            self.check_conflicts()?;

            let seq = commit.installed.next();
            let error = match self.log(&mut commit, seq, &payload.0) {
                Ok(logged) => break (commit, seq, logged),
                Err(error) => error,
            };
            // A checkpoint may be able to make the log anew where it is.
            let need = if commit.log_full { Need::Due } else { Need::None };
            drop(commit);
            if need == Need::None || tries == 0 {
                shared.see_to_checkpoint(need);
                return Err(error);
            }
            tries -= 1;
            match shared.checkpoint() {
                Ok(()) => {}
                Err(stopped) if stopped.is_out_of_space() => return Err(error),
                Err(failed) => return Err(failed),
            }
        };
        self.list_virgin();
        let admitted = self.install_pages(&mut commit, seq);
        self.install_space(&mut commit, seq);
        commit.notes.push(note);
        commit.kept_bytes += self.kept_bytes;
        shared.note_kept(&commit);
        commit.installed = seq;
        let checkpoint = shared.checkpoint_need(&commit);
        let flush = self.durability == Durability::Relaxed
            && shared.options.background
            && commit.log.is_some()
            && !std::mem::replace(&mut commit.flush_asked, true);
        drop(commit);
        if flush {
            shared.see_to_flush();
        }

        // Nobody can know of these pages before this function returns.
        let written = std::mem::take(&mut self.direct);
        if !written.is_empty() {
            let pages = written.into_iter().map(|(page, written)| (page, written.seq));
            shared.direct.commit(seq, pages);
            shared.cache.set_noted_bytes(shared.direct.later_bytes());
        }
        shared.admit(&admitted);
        Ok(Installed::new(shared, seq, self.durability, logged, checkpoint))
    }

    /// How often it is worth a checkpoint that there is no room in the log.
    fn tries_max(&self, payload_len: usize) -> u32 {
        if !self.gives_space_back {
            0
        } else if is_within_reserve(payload_len, self.shared.options.log_bytes_max) {
            TRIES_MAX
        } else {
            // The other log may be longer.
            1
        }
    }

    /// Private copies of pages that are given back are of no use to anybody.
    fn drop_freed(&mut self) {
        if !self.freed.is_empty() {
            let freed = &self.freed;
            self.pages.retain(|page| !overlaps(freed, Extent::new(page.id, 1)));
            let (freed, kept) = std::mem::take(&mut self.direct)
                .into_iter()
                .partition(|(page, _)| overlaps(freed, Extent::new(*page, 1)));
            self.direct = kept;
            self.shared.direct.give_up(written(&freed));
        }
    }

    /// Puts into `payload` what the log is to hold; nothing where there is no log.
    fn encode(&self, note: &[u8], payload: &mut Vec<u8>) -> Result<()> {
        if !self.shared.storage.is_persistent() {
            return Ok(());
        }
        // Checked before it is built, from above: no page takes more than its body and
        // a little for its ranges.
        let bytes = note.len()
            + self.pages.len() * (BODY_SIZE + 128)
            + self.direct.len() * DIRECT_ENTRY_MAX;
        if bytes > RECORD_LEN_MAX {
            return Err(Error::TransactionTooLarge { bytes, bytes_max: RECORD_LEN_MAX });
        }
        let logged = || self.pages.iter().filter(|page| !self.direct.contains_key(&page.id));
        let pages = logged().count() + self.direct.len();
        let mut builder = Builder::new(payload, note, &self.allocated, &self.freed, pages);
        for page in logged() {
            builder.page(page.id, &page.frame, page.fresh, &page.dirty);
        }
        for (&page, written) in &self.direct {
            builder.direct(page, written.checksum);
        }
        Ok(())
    }

    /// Appends the commit to the log. Until the record is appended, an error changes nothing.
    fn log(&self, commit: &mut Commit, seq: Seq, payload: &[u8]) -> Result<Lsn> {
        let shared = &*self.shared;
        if !shared.storage.is_persistent() {
            return Ok(Lsn::default());
        }
        let log = match &mut commit.log {
            Some(log) => log,
            none => none.insert(shared.begin_log(commit.next_log, seq)?),
        };
        if let Err(error) = log.reserve(payload.len(), self.gives_space_back) {
            commit.log_full = is_full_disk(&error);
            return Err(shared.write_failed(Error::io("making room for the log", error)));
        }
        let logged = log.append(seq, payload, shared.group_sync.synced());
        commit.direct_unsynced |= !self.direct.is_empty();
        commit.direct_pages += self.direct.len();
        let write = match self.durability {
            Durability::Immediate => false,
            Durability::Buffered => true,
            Durability::Relaxed => log.buffered() > RELAXED_BYTES_MAX,
        };
        if write {
            log.write().map_err(|e| shared.poison(Error::io("writing the log", e)))?;
        }
        Ok(logged)
    }

    /// Returns the pages that were not in memory before.
    fn install_pages(&mut self, commit: &mut Commit, seq: Seq) -> SmallVec<[PageId; 4]> {
        let shared = &*self.shared;
        let mut admitted = SmallVec::new();
        let mut superseded = SmallVec::<[Superseded; 4]>::new();
        for page in self.pages.drain(..) {
            let id = page.id;
            let admit = if self.direct.contains_key(&id) {
                install_clean(shared, page, seq)
            } else {
                install_page(shared, commit, page, seq, &mut superseded)
            };
            if admit {
                admitted.push(id);
            }
        }
        shared.snapshots.supersede(superseded);
        admitted
    }

    fn install_space(&mut self, commit: &mut Commit, seq: Seq) {
        let allocated = std::mem::take(&mut self.allocated);
        let freed = std::mem::take(&mut self.freed);
        let grows = self.root_grows + (allocated.len() + freed.len()) * ROOT_BYTES_PER_EXTENT;
        self.shared.root_grown.fetch_add(grows, Ordering::Relaxed);
        if allocated.is_empty() && freed.is_empty() {
            return;
        }
        commit.space.extend(extents(&allocated).map(SpaceChange::Allocated));
        commit.space.extend(extents(&freed).map(|extent| SpaceChange::Freed(seq, extent)));
        if !freed.is_empty() {
            let pages: u32 = freed.values().sum();
            commit.freed_pages = commit.freed_pages.saturating_add(pages);
            self.shared.frees.fetch_add(1, Ordering::Relaxed);
            self.shared.snapshots.make_due();
        }
        let mut allocator = self.shared.allocator.lock();
        extents(&allocated).for_each(|extent| allocator.keep(seq, extent));
        extents(&freed).for_each(|extent| allocator.defer(seq, extent));
    }

    /// Under the commit lock: whether all that was read for changing is still the newest.
    fn check_conflicts(&self) -> Result<()> {
        for page in &self.pages {
            if let Some(base) = &page.base
                && self.shared.newest_seq(page.id)? > base.seq()
            {
                return Err(Error::WriteConflict { page: page.id });
            }
            debug_assert!(page.is_marked(), "{} was changed outside the ranges marked", page.id);
        }
        // Under the commit lock: nobody frees meanwhile. Each page was in use when it was touched.
        let frees = self.shared.frees.load(Ordering::Relaxed);
        if frees == self.frees && self.freed.is_empty() && self.direct.is_empty() {
            return self.check_fresh();
        }
        let allocator = self.shared.allocator.lock();
        for page in &self.pages {
            if !allocator.in_use(Extent::new(page.id, 1)) {
                return Err(Error::WriteConflict { page: page.id });
            }
        }
        for extent in extents(&self.freed) {
            if !allocator.in_use(extent) {
                return Err(Error::NotAllocated { page: extent.start, doing: "free" });
            }
        }
        for &page in self.direct.keys() {
            if !allocator.in_use(Extent::new(page, 1)) {
                return Err(Error::WriteConflict { page });
            }
        }
        drop(allocator);
        self.check_fresh()
    }

    /// Under the commit lock: whether nobody else writes the pages directly that this transaction
    /// has made anew or gives back.
    fn check_fresh(&self) -> Result<()> {
        let fresh = || self.pages.iter().filter(|page| page.fresh).map(|page| page.id);
        if fresh().next().is_none() && self.freed.is_empty() {
            return Ok(());
        }
        let is_own = |page| self.direct.contains_key(&page);
        let checked = self.shared.direct.check(fresh(), extents(&self.freed), is_own);
        checked.map_err(|page| Error::WriteConflict { page })
    }

    /// Notes which of the pages taken are left for later transactions to initialise.
    fn list_virgin(&self) {
        if self.allocated.is_empty() || !self.shared.storage.is_persistent() {
            return;
        }
        let fresh = self.pages.iter().filter(|page| page.fresh).map(|page| page.id);
        let mut initialised: Vec<PageId> = fresh.chain(self.direct.keys().copied()).collect();
        initialised.sort_unstable();
        initialised.dedup();
        let freed = |extent: &Extent| !overlaps(&self.freed, *extent);
        self.shared.direct.list(extents(&self.allocated).filter(freed), &initialised);
    }

    fn is_empty(&self) -> bool {
        self.pages.is_empty()
            && self.freed.is_empty()
            && self.allocated.is_empty()
            && self.direct.is_empty()
    }

    fn check_allocated(&self, page: PageId, doing: &'static str) -> Result<()> {
        // Whoever changes one page again and again need not look it up each time.
        let frees = self.shared.frees.load(Ordering::Relaxed);
        let is_known = || self.shared.table.slot(page).in_use_at(frees);
        if self.freed.is_empty() && self.shared.check_bounds(page).is_ok() && is_known() {
            return Ok(());
        }
        let allocator = self.shared.allocator.lock();
        let extent = Extent::new(page, 1);
        if !self.may_write(&allocator, extent) {
            return Err(Error::NotAllocated { page, doing });
        }
        if !overlaps(&self.allocated, extent) {
            self.shared.table.slot(page).set_in_use_at(frees);
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

    #[inline]
    fn find(&self, page: PageId) -> Option<usize> {
        if self.pages.len() <= LINEAR_MAX {
            return self.pages.iter().position(|private| private.id == page);
        }
        // Whoever appends asks for the last page again and again.
        if self.pages.last().is_some_and(|last| last.id == page) {
            return Some(self.pages.len() - 1);
        }
        self.index.as_ref()?.get(&page).copied()
    }

    fn push(&mut self, page: PrivatePage) -> usize {
        let at = self.pages.len();
        self.pages.push(page);
        if self.pages.len() == LINEAR_MAX + 1 {
            self.index_all();
        } else if self.pages.len() > LINEAR_MAX {
            self.index.get_or_insert_default().insert(self.pages[at].id, at);
        }
        at
    }

    fn index_all(&mut self) {
        if self.pages.len() > LINEAR_MAX {
            let index = self.index.get_or_insert_default();
            index.extend(self.pages.iter().enumerate().map(|(at, page)| (page.id, at)));
        }
    }
}

/// Room for what the log is to hold: each thread has some, to be used again.
struct Payload(Vec<u8>);

/// One huge transaction must not cost its memory for ever.
const PAYLOAD_KEPT_MAX: usize = 64 * 1024;

thread_local! {
    static PAYLOAD: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Payload {
    fn empty() -> Self {
        // While a thread ends, there may be none.
        Self(PAYLOAD.try_with(Cell::take).unwrap_or_default())
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        self.0.clear();
        self.0.shrink_to(PAYLOAD_KEPT_MAX);
        let _ = PAYLOAD.try_with(|payload| payload.set(std::mem::take(&mut self.0)));
    }
}

impl Drop for WriteTx {
    fn drop(&mut self) {
        // Before the pages go back: whoever takes them next may write them directly, too.
        if !self.direct.is_empty() {
            self.shared.direct.give_up(written(&self.direct));
        }
        if !self.allocated.is_empty() {
            let mut allocator = self.shared.allocator.lock();
            extents(&self.allocated).for_each(|extent| allocator.cancel(extent));
        }
        if self.shared.met_full_disk.load(Ordering::Relaxed) {
            self.shared.see_to_full_disk();
        }
    }
}

/// The extents of a map from first page to length.
fn extents(map: &BTreeMap<u32, u32>) -> impl Iterator<Item = Extent> + '_ {
    map.iter().map(|(&start, &pages)| Extent::new(PageId::new(start), pages))
}

/// What the register of direct pages is given back.
fn written(pages: &BTreeMap<PageId, DirectPage>) -> impl Iterator<Item = (PageId, Virgin)> + '_ {
    pages.iter().map(|(&page, written)| (page, written.virgin))
}

/// Makes a page that was written directly its slot's newest version; no checkpoint need
/// write it. Returns whether none was in memory.
fn install_clean(shared: &Shared, mut page: PrivatePage, seq: Seq) -> bool {
    Arc::make_mut(&mut page.frame).set_seq(seq);
    let slot = shared.table.slot(page.id);
    let _stripe = shared.stripes.lock(page.id);
    debug_assert!(!slot.is_dirty(), "{} was written though a checkpoint is to write it", page.id);
    slot.touch();
    slot.frame.swap(Some(page.frame)).is_none()
}

/// Makes a private page its slot's newest version. Returns whether none was in memory.
fn install_page(
    shared: &Shared,
    commit: &mut Commit,
    mut page: PrivatePage,
    seq: Seq,
    superseded: &mut SmallVec<[Superseded; 4]>,
) -> bool {
    Arc::make_mut(&mut page.frame).set_seq(seq);
    let slot = shared.table.slot(page.id);
    let _stripe = shared.stripes.lock(page.id);
    // A checkpoint under way still has to write what a page held that is made anew.
    let under_way = slot.is_dirty() && slot.due() != commit.checkpoint;
    let base = page.base.or_else(|| under_way.then(|| slot.frame.load_full()).flatten());
    if let Some(base) = base {
        let written_at = base.seq();
        superseded.push(Superseded { page: page.id, written_at, superseded_at: seq });
        slot.push_older(base, seq);
        shared.cache.older_added();
    }
    slot.set_due(commit.mark_dirty(page.id, slot.due(), page.fresh));
    slot.touch();
    slot.frame.swap(Some(page.frame)).is_none()
}
