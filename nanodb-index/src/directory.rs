//! The groups, level by level, and how a key finds its own.
//!
//! Level `d` has a group for each value of a key's first `d` bits. A key belongs to the
//! first group down its path that is not split. Since hashes are even, groups split at
//! about the same time, so at most two or three levels are in use, and nothing above them
//! has to be looked at: `start` is the level to begin with. A level is made whole, but
//! memory that nobody touched costs nothing; no level is ever copied.

use crate::cache_lines::{LINE_WORDS, Lines};
use crate::group::{Group, GroupPosition};
use crate::key_hash::KeyHash;
use crate::sync::{AtomicU32, AtomicU64, OnceLock, Ordering};

/// The number of levels: at the last one there is room for 1.6 billion entries.
pub(crate) const LEVELS: usize = 20;
/// The deepest level.
pub(crate) const DEPTH_MAX: u32 = 19;
const _: () = assert!(DEPTH_MAX as usize + 1 == LEVELS);

#[derive(Debug, Default)]
pub(crate) struct Directory {
    levels: [OnceLock<Lines>; LEVELS],
    /// The level to begin with, and [`KEEPS_MARKS`].
    start: AtomicU32,
    /// A bit for each group of each level, set when the group is looked at; there if marks are
    /// kept.
    marks: OnceLock<Box<[OnceLock<Lines>; LEVELS]>>,
}

/// Whether marks are kept. Beside the level, which each look-up reads anyway.
const KEEPS_MARKS: u32 = 1 << 8;

/// The groups that one word of marks is for.
const WORD_MARKS: usize = u64::BITS as usize;

impl Directory {
    /// The group that a key belongs to; `None` when there are no groups yet.
    #[inline]
    pub(crate) fn locate(&self, key: KeyHash) -> Option<GroupPosition<'_>> {
        // Acquire, pairs with the Release store in `set_start`: the groups at this level,
        // and what sent their parents' keys down, are seen by whoever skips the parents.
        let mut depth = self.start.load(Ordering::Acquire) & !KEEPS_MARKS;
        loop {
            let prefix = key.prefix(depth);
            let group = self.group(depth, prefix)?;
            let head = group.head();
            if !head.is_split() {
                return Some(GroupPosition { group, head, depth, prefix });
            }
            depth += 1;
        }
    }

    #[inline]
    pub(crate) fn group(&self, depth: u32, prefix: u32) -> Option<Group<'_>> {
        let level = self.levels.get(depth as usize)?.get()?;
        level.get(prefix as usize).map(Group::new)
    }

    /// A group as it is now.
    pub(crate) fn at(&self, depth: u32, prefix: u32) -> Option<GroupPosition<'_>> {
        let group = self.group(depth, prefix)?;
        Some(GroupPosition { group, head: group.head(), depth, prefix })
    }

    /// Makes a level, if it isn't there.
    pub(crate) fn make(&self, depth: u32) {
        if let Some(level) = self.levels.get(depth as usize) {
            level.get_or_init(|| Lines::zeroed(1 << depth));
        }
        if self.keeps_marks()
            && let Some(marks) = self.marks.get_or_init(Box::default).get(depth as usize)
        {
            let words = (1usize << depth).div_ceil(WORD_MARKS);
            marks.get_or_init(|| Lines::zeroed(words.div_ceil(LINE_WORDS)));
        }
    }

    /// From now on marks are kept. Before there is a level.
    pub(crate) fn keep_marks(&self) {
        self.start.store(KEEPS_MARKS, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn keeps_marks(&self) -> bool {
        self.start.load(Ordering::Relaxed) & KEEPS_MARKS != 0
    }

    /// Marks a group as looked at, if marks are kept.
    #[inline]
    pub(crate) fn mark(&self, at: &GroupPosition<'_>) {
        if self.keeps_marks()
            && let Some((word, bit)) = self.mark_of(at)
            // Relaxed, here and below: nothing but a hint. Written only where it changes something,
            // or readers would take the cache line from each other.
            && word.load(Ordering::Relaxed) & bit == 0
        {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// Takes the mark off a group; whether there was one.
    pub(crate) fn unmark(&self, at: &GroupPosition<'_>) -> bool {
        let Some((word, bit)) = self.mark_of(at) else { return false };
        word.fetch_and(!bit, Ordering::Relaxed) & bit != 0
    }

    #[inline]
    fn mark_of(&self, at: &GroupPosition<'_>) -> Option<(&AtomicU64, u64)> {
        let (word, bit) = (at.prefix as usize / WORD_MARKS, at.prefix as usize % WORD_MARKS);
        let line = self.marks.get()?.get(at.depth as usize)?.get()?.get(word / LINE_WORDS)?;
        Some((line.get(word % LINE_WORDS)?, 1 << bit))
    }

    /// Lets look-ups begin at `depth`: all groups above it are split.
    pub(crate) fn set_start(&self, depth: u32) {
        // One writer at a time; the bit never changes once there are levels.
        let marks = self.start.load(Ordering::Relaxed) & KEEPS_MARKS;
        self.start.store(depth | marks, Ordering::Release);
    }

    pub(crate) fn start(&self) -> u32 {
        self.start.load(Ordering::Relaxed) & !KEEPS_MARKS
    }

    /// All groups there ever were, as they are now.
    pub(crate) fn groups(&self) -> impl Iterator<Item = GroupPosition<'_>> {
        let levels =
            (0..).zip(&self.levels).filter_map(|(depth, level)| Some((depth, level.get()?)));
        levels.flat_map(|(depth, level)| {
            (0..1u32 << depth).zip(level.iter()).map(move |(prefix, line)| {
                let group = Group::new(line);
                GroupPosition { group, head: group.head(), depth, prefix }
            })
        })
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        let marks = self.marks.get();
        let lines = self.levels.iter().chain(marks.into_iter().flat_map(|marks| marks.iter()));
        let lines = lines.filter_map(OnceLock::get).map(Lines::heap_bytes).sum::<usize>();
        lines + marks.map_or(0, |marks| size_of_val(&**marks))
    }
}
