//! The index as its readers and its owner see it.

use std::fmt;

use crossbeam_utils::CachePadded;

use crate::cache_lines::LINE_WORDS;
use crate::directory::Directory;
use crate::group::GroupPosition;
use crate::key_hash::{Entry, KeyHash, tag_of};
use crate::pool::{IndexMemory, Pool, SEGMENT_BUCKETS};
use crate::record_id::RecordId;
use crate::stash::Stash;
use crate::sync::{AtomicU64, AtomicUsize, Mutex, Ordering, lock, try_lock};
use crate::writer::{IndexWriter, State};

/// A hash index from ids to record ids: any number of readers while one writer changes it.
///
/// The ids are not in it. A look-up yields candidates, and the caller proves each on its
/// page; several entries may have one hash, and a candidate may turn out to be another
/// id's. An entry takes eight bytes, under twelve with everything around it; an index
/// without entries takes less than a kilobyte.
///
/// The [crate's documentation](crate) has the protocol between readers and the writer.
///
/// ```
/// use nanodb_index::{IdIndex, KeyHash, RecordId};
///
/// let index = IdIndex::new();
/// let (ada, record_id) = (KeyHash::of_id(0, b"ada"), RecordId { page: 7, slot: 3 });
/// index.write().insert(ada, record_id);
///
/// assert_eq!(index.look_up(ada, Some), Ok(Some(record_id)));
/// assert!(index.write().remove(ada, record_id));
/// assert!(index.is_empty());
/// ```
#[derive(Default)]
pub struct IdIndex {
    pub(crate) directory: Directory,
    pub(crate) pool: Pool,
    pub(crate) stash: Stash,
    moves: AtomicU64,
    pub(crate) own: CachePadded<WriterLine>,
}

/// The entries of a key are not in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotLoaded;

impl fmt::Display for NotLoaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the entries of this key are not in memory")
    }
}

impl std::error::Error for NotLoaded {}

/// What the writer changes with every operation. On cache lines of its own, for readers would
/// otherwise fetch theirs anew after each.
#[derive(Debug, Default)]
pub(crate) struct WriterLine {
    pub(crate) state: Mutex<State>,
    pub(crate) len: AtomicUsize,
    pub(crate) heap_bytes: AtomicUsize,
    pub(crate) used_bytes: AtomicUsize,
}

impl IdIndex {
    /// Makes an index without entries.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes an index without entries, in memory that it may share with others.
    #[must_use]
    pub fn within(memory: &IndexMemory) -> Self {
        let index = Self {
            directory: Directory::default(),
            pool: Pool::within(memory),
            stash: Stash::default(),
            moves: AtomicU64::default(),
            own: CachePadded::default(),
        };
        if memory.keeps_marks() {
            index.directory.keep_marks();
        }
        index
    }

    /// Calls `probe` for each candidate of `key` until it returns something, and returns
    /// that; `None` if it never did.
    ///
    /// An entry that is there from the beginning to the end of the call is always among
    /// the candidates. A candidate may be of another id, or one that was removed
    /// meanwhile, and may come twice: `probe` decides by the page. To let it fail, have
    /// it return `Some(Err(_))`.
    ///
    /// Never locks, waits or allocates; about one cache miss. It looks again when the
    /// writer rearranged just these entries at the same time and nothing was found.
    ///
    /// # Errors
    ///
    /// [`NotLoaded`] if the entries of this key are not there, in an index made with
    /// [`IdIndex::absent`].
    #[inline]
    pub fn look_up<R>(
        &self,
        key: KeyHash,
        mut probe: impl FnMut(RecordId) -> Option<R>,
    ) -> Result<Option<R>, NotLoaded> {
        loop {
            let Some(at) = self.directory.locate(key) else {
                return Ok(self.stash.find(key, probe));
            };
            if at.head.is_absent() {
                return Err(NotLoaded);
            }
            self.directory.mark(&at);
            if let Some(found) = self.search(at, key, &mut probe) {
                return Ok(Some(found));
            }
            if let Some(found) = self.stash.find(key, &mut probe) {
                return Ok(Some(found));
            }
            // A head that is still the same means that all words above were read in the
            // state that it describes: invariant 2 of the protocol.
            if at.group.head() == at.head {
                return Ok(None);
            }
        }
    }

    /// The candidates in one group, as it was when it was looked at.
    #[inline]
    fn search<R>(
        &self,
        at: GroupPosition<'_>,
        key: KeyHash,
        probe: &mut impl FnMut(RecordId) -> Option<R>,
    ) -> Option<R> {
        let tag = key.tag();
        let mut position = at.home(key);
        for _ in 0..at.head.window() {
            let segment = at.group.segment(at.head, position);
            let bucket = self.pool.bucket(segment, position % SEGMENT_BUCKETS)?;
            // Acquire, pairs with the Release stores of `set_word`.
            let words: [u64; LINE_WORDS] =
                std::array::from_fn(|index| bucket[index].load(Ordering::Acquire));

            // Without a branch for each word: which one matches is anybody's guess, and a
            // wrong guess would delay the page's cache miss.
            let mut matches = 0u32;
            let mut full = true;
            for (index, &word) in words.iter().enumerate() {
                matches |= u32::from(tag_of(word) == tag) << index;
                full &= word != 0;
            }
            while matches != 0 {
                let word = words[matches.trailing_zeros() as usize % LINE_WORDS];
                let found = Entry::from_word(word).and_then(|entry| probe(entry.record_id()));
                if found.is_some() {
                    return found;
                }
                matches &= matches - 1;
            }
            if !full {
                return None;
            }
            position = at.head.next(position);
        }
        None
    }

    /// Returns a number that changes whenever [`IndexWriter::retire`] removes an entry. A miss is
    /// final only if this did not change around it.
    #[inline]
    #[must_use]
    pub fn moves(&self) -> u64 {
        // Acquire, pairs with the Release store in `count_move`: whoever sees the move
        // sees the entry that replaces the one to be taken away.
        self.moves.load(Ordering::Acquire)
    }

    /// Called by the writer before it takes an entry away.
    pub(crate) fn count_move(&self) {
        // One writer at a time, so that nothing is lost between load and store. Release,
        // pairs with `moves`; and since the entry's word is cleared by a later Release
        // store, a reader that misses it sees this one.
        let moves = self.moves.load(Ordering::Relaxed);
        self.moves.store(moves.wrapping_add(1), Ordering::Release);
    }

    /// Locks the writing side, for several changes in a row.
    ///
    /// Other writers wait until it is dropped, readers don't. Calling a method of the
    /// index that writes while this thread holds it would wait for ever.
    pub fn write(&self) -> IndexWriter<'_> {
        IndexWriter::new(self, lock(&self.own.state))
    }

    /// Same as [`write`](Self::write), but returns none if another thread is writing.
    pub fn try_write(&self) -> Option<IndexWriter<'_>> {
        Some(IndexWriter::new(self, try_lock(&self.own.state)?))
    }

    /// Returns the number of entries. It is exact while nobody writes. Never waits.
    #[must_use]
    pub fn len(&self) -> usize {
        // Relaxed: a figure by itself, nothing is read because of it.
        self.own.len.load(Ordering::Relaxed)
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the bytes of all memory that the index has allocated, itself included, of which the
    /// system may not have provided everything yet; shared memory counts as a whole. Hardly waits.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let shared = self.directory.heap_bytes() + self.pool.heap_bytes() + self.stash.heap_bytes();
        // Relaxed: a figure by itself.
        size_of::<Self>() + shared + self.own.heap_bytes.load(Ordering::Relaxed)
    }

    /// Returns the bytes of the loaded groups, which [`IndexWriter::drop_one`] can free for
    /// others. Never waits.
    #[must_use]
    pub fn loaded_bytes(&self) -> usize {
        // Relaxed: a figure by itself.
        self.own.used_bytes.load(Ordering::Relaxed)
    }
}

impl Drop for IdIndex {
    fn drop(&mut self) {
        // Others may share the memory.
        for at in self.directory.groups() {
            self.pool.free_segments(at.group.segments(at.head));
        }
    }
}

impl fmt::Debug for IdIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (len, moves) = (self.len(), self.moves());
        f.debug_struct("IdIndex").field("len", &len).field("moves", &moves).finish_non_exhaustive()
    }
}
