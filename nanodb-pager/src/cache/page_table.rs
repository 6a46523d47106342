//! The page table: for each page its newest version and the older ones still wanted.
//!
//! A page's slot is found in two steps from its number: a directory that doubles, so
//! that a small file costs little and a large one is never copied, then a leaf of
//! 256 slots, made at the first touch. Neither ever moves or goes away, so readers
//! follow them without a lock.
//!
//! ```text
//! slot.frame -> newest installed version      (none: it is on disk)
//! slot.older -> version -> version -> ...      newest first, in memory or spilled
//! ```
//!
//! The list holds what some snapshot wants, and what was replaced by commits that are
//! not published yet: it is as long as there are snapshots that see the page differently,
//! however often the page is changed.
//!
//! # Invariants
//!
//! 1. Who changes `frame` or `older` holds the page's stripe (see `Stripes`).
//! 2. A version is put into `older` before its successor replaces it in `frame`, so
//!    a reader that finds `frame` too new finds the older one, or it was pruned.
//! 3. A slot whose `frame` is none has its newest version on disk.
//! 4. A version in the list never changes, nor what follows it: taking one out, or
//!    spilling it, makes those before it anew. Who has found a version may go on with it and
//!    with those behind it.

use std::sync::{Arc, OnceLock};

use crate::cache::version_file::SpilledVersion;
use crate::file::page::Frame;
use crate::ids::{PageId, Seq};
use crate::sync::{ArcSwapOption, AtomicBool, AtomicU32, AtomicU64, Mutex, MutexGuard, Ordering};

const LEAF_BITS: u32 = 8;
const LEAF_SIZE: usize = 1 << LEAF_BITS;

/// The first directory has this many leaves, each further one twice as many.
const FIRST_DIRECTORY: u32 = 16;

/// Enough directories for all 2^24 leaves that 32-bit page numbers need.
const DIRECTORIES: usize = 21;

/// A page that no checkpoint need write.
pub(crate) const CLEAN: u64 = 0;

/// Where a page's versions are found.
#[derive(Default)]
pub(crate) struct Slot {
    pub(crate) frame: ArcSwapOption<Frame>,
    older: ArcSwapOption<Version>,
    /// Set by readers, cleared by the cache's clock hand. Relaxed throughout: it is a
    /// hint about what to keep.
    pub(crate) referenced: AtomicBool,
    /// After how many commits that freed pages this one was known to be in use; see
    /// [`in_use_at`](Self::in_use_at).
    in_use_at: AtomicU32,
    /// Which checkpoint is to write `frame` to disk; 0 if it is there already. Written
    /// under the stripe; relaxed, since the stripe's lock orders it.
    due: AtomicU64,
}

/// A version that a newer one has replaced.
pub(crate) struct Version {
    pub(crate) bytes: VersionBytes,
    /// The commit that wrote it.
    pub(crate) written_at: Seq,
    /// The commit that replaced it.
    superseded_at: Seq,
    older: Option<Arc<Version>>,
}

/// Where a version's bytes are.
pub(crate) enum VersionBytes {
    InMemory(Arc<Frame>),
    Spilled(Arc<SpilledVersion>),
}

/// Never 0, which is where slots begin.
fn in_use_mark(frees: u64) -> u32 {
    u32::try_from(frees % u64::from(u32::MAX)).unwrap_or(0) + 1
}

impl Slot {
    pub(crate) fn is_dirty(&self) -> bool {
        self.due() != CLEAN
    }

    /// The number of the checkpoint that writes the newest version, or [`CLEAN`].
    pub(crate) fn due(&self) -> u64 {
        self.due.load(Ordering::Relaxed)
    }

    pub(crate) fn set_due(&self, checkpoint: u64) {
        self.due.store(checkpoint, Ordering::Relaxed);
    }

    /// Whether the page was in use after `frees` commits had freed pages. As none has since,
    /// it still is. `false` says nothing.
    ///
    /// Relaxed: who asks only wants to be told early; a commit looks again under its lock.
    pub(crate) fn in_use_at(&self, frees: u64) -> bool {
        self.in_use_at.load(Ordering::Relaxed) == in_use_mark(frees)
    }

    /// Notes that the page was in use after `frees` commits had freed pages. For a count taken
    /// before it was looked up.
    pub(crate) fn set_in_use_at(&self, frees: u64) {
        self.in_use_at.store(in_use_mark(frees), Ordering::Relaxed);
    }

    /// Lets a reader's use of the page count against its eviction.
    #[inline]
    pub(crate) fn touch(&self) {
        // Reading first keeps the cache line shared between cores.
        if !self.referenced.load(Ordering::Relaxed) {
            self.referenced.store(true, Ordering::Relaxed);
        }
    }

    /// Keeps `frame` for readers older than `superseded_at`. Under the stripe.
    pub(crate) fn push_older(&self, frame: Arc<Frame>, superseded_at: Seq) {
        self.older.store(Some(Arc::new(Version {
            written_at: frame.seq(),
            bytes: VersionBytes::InMemory(frame),
            superseded_at,
            older: self.older.load_full(),
        })));
    }

    /// The version that was the newest at `at`, if it is still among the older ones.
    pub(crate) fn find_older(&self, at: Seq) -> Option<Arc<Version>> {
        let mut version = self.older.load_full()?;
        while version.written_at > at {
            version = version.next()?;
        }
        // If it was replaced before `at`, then its successor is the one wanted, and
        // that was dropped while a snapshot still keeps this one.
        (version.superseded_at > at).then_some(version)
    }

    /// Drops the version that `superseded_at` replaced, and returns it. Under the stripe.
    pub(crate) fn drop_older(&self, superseded_at: Seq) -> Option<Arc<Version>> {
        self.replace_older(superseded_at, Version::next)
    }

    /// Takes the version that `superseded_at` replaced out, and all behind it; returns it.
    /// Under the stripe.
    pub(crate) fn take_older_from(&self, superseded_at: Seq) -> Option<Arc<Version>> {
        self.replace_older(superseded_at, |_| None)
    }

    /// Notes that the version that `superseded_at` replaced was spilled; `false` if it is no
    /// longer there. Under the stripe.
    pub(crate) fn spill_older(&self, superseded_at: Seq, place: SpilledVersion) -> bool {
        let place = Arc::new(place);
        self.replace_older(superseded_at, |version| {
            Some(Arc::new(Version {
                bytes: VersionBytes::Spilled(place),
                written_at: version.written_at,
                superseded_at,
                older: version.next(),
            }))
        })
        .is_some()
    }

    /// Puts `new` where the version is that `superseded_at` replaced, and returns that.
    fn replace_older(
        &self,
        superseded_at: Seq,
        new: impl FnOnce(&Version) -> Option<Arc<Version>>,
    ) -> Option<Arc<Version>> {
        let mut version = self.older.load_full()?;
        let mut newer = Vec::new();
        while version.superseded_at != superseded_at {
            let next = version.next()?;
            newer.push(version);
            version = next;
        }
        let mut list = new(&version);
        for version in newer.into_iter().rev() {
            list = Some(Arc::new(version.followed_by(list)));
        }
        self.older.store(list);
        Some(version)
    }
}

impl Version {
    /// The version before this one.
    pub(crate) fn next(&self) -> Option<Arc<Self>> {
        self.older.clone()
    }

    fn followed_by(&self, older: Option<Arc<Self>>) -> Self {
        Self {
            bytes: match &self.bytes {
                VersionBytes::InMemory(frame) => VersionBytes::InMemory(Arc::clone(frame)),
                VersionBytes::Spilled(place) => VersionBytes::Spilled(Arc::clone(place)),
            },
            written_at: self.written_at,
            superseded_at: self.superseded_at,
            older,
        }
    }
}

impl Drop for Version {
    fn drop(&mut self) {
        // A long list must not be dropped recursively.
        let mut next = self.older.take();
        while let Some(mut version) = next.and_then(Arc::into_inner) {
            next = version.older.take();
        }
    }
}

type Leaf = Box<[Slot; LEAF_SIZE]>;
type Directory = Box<[OnceLock<Leaf>]>;

/// All slots, by page number.
pub(crate) struct PageTable {
    directories: [OnceLock<Directory>; DIRECTORIES],
}

impl PageTable {
    pub(crate) fn new() -> Self {
        Self { directories: [const { OnceLock::new() }; DIRECTORIES] }
    }

    /// The slot of `page`, made if it was never touched before.
    ///
    /// Callers check first that the file has such a page, or a damaged reference
    /// would cost memory.
    #[inline]
    pub(crate) fn slot(&self, page: PageId) -> &Slot {
        let leaf = (page.get() >> LEAF_BITS) + FIRST_DIRECTORY;
        let directory = leaf.ilog2() - FIRST_DIRECTORY.ilog2();
        let leaves = FIRST_DIRECTORY << directory;
        let directory = self.directories[directory as usize]
            .get_or_init(|| (0..leaves).map(|_| OnceLock::new()).collect());
        let leaf = directory[(leaf - leaves) as usize]
            .get_or_init(|| Box::new(std::array::from_fn(|_| Slot::default())));
        &leaf[page.get() as usize % LEAF_SIZE]
    }
}

/// Locks for changing slots: one for many pages, so that few suffice.
pub(crate) struct Stripes {
    locks: [Mutex<()>; 64],
}

impl Stripes {
    pub(crate) fn new() -> Self {
        Self { locks: std::array::from_fn(|_| Mutex::new(())) }
    }

    pub(crate) fn lock(&self, page: PageId) -> MutexGuard<'_, ()> {
        self.locks[page.get() as usize % self.locks.len()].lock()
    }
}

#[cfg(all(test, loom))]
mod interleavings;

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(seq: u64) -> Arc<Frame> {
        let mut frame = Frame::ZERO;
        frame.set_seq(Seq::new(seq));
        Arc::new(frame)
    }

    #[test]
    fn every_page_number_has_a_slot_of_its_own() {
        let table = PageTable::new();
        let pages = [0, 1, 255, 256, 4095, 4096, 12_287, 12_288, 1 << 20, u32::MAX];
        for (index, &page) in pages.iter().enumerate() {
            table.slot(PageId::new(page)).frame.store(Some(frame(index as u64)));
        }
        for (index, &page) in pages.iter().enumerate() {
            let found = table.slot(PageId::new(page)).frame.load_full().unwrap();
            assert_eq!(found.seq().get(), index as u64);
        }
    }

    #[test]
    fn the_newest_version_not_above_is_found_and_any_can_go() {
        let slot = Slot::default();
        for seq in [1, 3, 7] {
            slot.push_older(frame(seq), Seq::new(seq + 2));
        }
        let found = |at| slot.find_older(Seq::new(at)).map(|version| version.written_at.get());
        assert_eq!(
            [found(0), found(1), found(2), found(4), found(8), found(9)],
            [None, Some(1), Some(1), Some(3), Some(7), None]
        );
        slot.drop_older(Seq::new(5));
        assert_eq!(found(2), Some(1));
        assert_eq!(found(4), None, "an older version still must not stand in");
        slot.drop_older(Seq::new(9));
        slot.drop_older(Seq::new(3));
        assert!(slot.find_older(Seq::new(9)).is_none());
    }
}
