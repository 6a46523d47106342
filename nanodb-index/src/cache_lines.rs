//! Arrays of cache lines, eight atomic words each, zero at first.

use crate::sync::AtomicU64;

/// The words of a cache line. A model checker needs a small index to see all of it.
pub(crate) const LINE_WORDS: usize = if cfg!(loom) { 2 } else { 8 };

/// The same as a count of entries.
pub(crate) const BUCKET_ENTRIES: u32 = if cfg!(loom) { 2 } else { 8 };
const _: () = assert!(BUCKET_ENTRIES as usize == LINE_WORDS);

/// One cache line of words: a bucket of entries, or the description of a group.
pub(crate) type Line = [AtomicU64; LINE_WORDS];

/// Many lines, aligned to 64 bytes.
///
/// The alignment is made here and not by a `repr(align)`: for types aligned more strictly
/// than usual the allocator writes the zeros itself, all at once, where it otherwise takes
/// fresh memory from the system whose pages cost nothing until they are touched. An insert
/// that adds a chunk of megabytes must not pay for all of it.
#[derive(Debug)]
pub(crate) struct Lines(Box<[AtomicU64]>);

impl Lines {
    pub(crate) fn zeroed(lines: usize) -> Self {
        Self(zeroed_words(lines * LINE_WORDS + LINE_WORDS - 1))
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<&Line> {
        self.0.get(self.skew() + index * LINE_WORDS..)?.first_chunk()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Line> {
        (0..self.0.len() / LINE_WORDS).map_while(|index| self.get(index))
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.0)
    }

    /// The words before the first that begins a cache line.
    #[inline]
    fn skew(&self) -> usize {
        if cfg!(loom) {
            return 0;
        }
        self.0.as_ptr().addr().wrapping_neg() / size_of::<AtomicU64>() % LINE_WORDS
    }
}

#[cfg(not(loom))]
fn zeroed_words(words: usize) -> Box<[AtomicU64]> {
    bytemuck::zeroed_slice_box(words)
}

/// A model checker's atomics are not made of zeros.
#[cfg(loom)]
fn zeroed_words(words: usize) -> Box<[AtomicU64]> {
    (0..words).map(|_| AtomicU64::new(0)).collect()
}
