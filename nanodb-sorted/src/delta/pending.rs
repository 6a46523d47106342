//! The operations of a transaction that is not committed.

use super::chunk::{Chunk, Op, Part};
use super::chunks::Chunks;
use crate::error::Refused;
use crate::operation::{KEY_LEN_MAX, Operation};

/// The most bytes of keys that a chunk can have: offsets have 32 bits.
pub(crate) const ARENA_MAX: usize = u32::MAX as usize;

/// The operations of one transaction on one index, in the order in which they happen.
///
/// Adding one is a copy. They are sorted when they are first read, each time those that came
/// since, or when they are [appended](super::Delta::append) to a delta.
///
/// ```
/// use nanodb_sorted::{Delta, Operation, Pending, RecordId};
///
/// let mut pending = Pending::new();
/// let record = RecordId { page: 7, slot: 1 };
/// pending.push(Operation { key: b"ada", record, removed: false })?;
/// let delta = Delta::new(0);
/// assert_eq!(delta.append(&mut pending)?, 1);
/// assert!(pending.is_empty());
/// # Ok::<(), nanodb_sorted::Refused>(())
/// ```
#[derive(Debug, Default)]
pub struct Pending {
    /// What has been read; ordinals count from the first operation.
    chunks: Chunks,
    /// What came since.
    arena: Vec<u8>,
    ops: Vec<Op>,
    /// Bytes of keys in all.
    key_bytes: usize,
    sorted_len: usize,
}

impl Pending {
    /// Makes one without operations.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an operation behind all others.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the key is too long, or if there are more than 4 GiB of keys.
    #[inline]
    pub fn push(&mut self, operation: Operation<'_>) -> Result<(), Refused> {
        let Operation { key, record, removed } = operation;
        let len = u16::try_from(key.len()).ok().filter(|len| usize::from(*len) <= KEY_LEN_MAX);
        let len = len.ok_or(Refused::KeyTooLong { len: key.len() })?;
        let key_bytes = self.key_bytes + key.len();
        if key_bytes > ARENA_MAX || self.len() >= u32::MAX as usize {
            return Err(Refused::TooMany);
        }
        let offset = u32::try_from(self.arena.len()).map_err(|_| Refused::TooMany)?;
        let ordinal = u32::try_from(self.ops.len()).map_err(|_| Refused::TooMany)?;
        self.arena.extend_from_slice(key);
        self.ops.push(Op::new(offset, len, ordinal, record, removed));
        self.key_bytes = key_bytes;
        Ok(())
    }

    /// Returns how many operations there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sorted_len + self.ops.len()
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the bytes of memory that they take, those to sort them not counted.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.chunks.bytes() + self.arena.capacity() + size_of::<Op>() * self.ops.capacity()
    }

    /// Forgets all operations.
    pub fn clear(&mut self) {
        self.chunks = Chunks::default();
        self.arena.clear();
        self.ops.clear();
        self.key_bytes = 0;
        self.sorted_len = 0;
    }

    /// Calls `visit` for each operation in the order in which they were added.
    pub fn for_each_in_order(&self, visit: &mut dyn FnMut(Operation<'_>)) {
        for chunk in self.chunks.oldest_first() {
            chunk.for_each_in_order(chunk.first(), &mut |_, operation| visit(operation));
        }
        for op in &self.ops {
            visit(op.operation(&self.arena));
        }
    }

    /// Sorts what came since it was last called, and returns all.
    pub(crate) fn sorted(&mut self) -> &Chunks {
        if let Some(chunk) = self.sort_rest() {
            self.chunks = self.chunks.with(chunk);
        }
        &self.chunks
    }

    /// Takes what came since as a chunk.
    fn sort_rest(&mut self) -> Option<Chunk> {
        if self.ops.is_empty() {
            return None;
        }
        let (arena, ops) = (&*self.arena, &*self.ops);
        let part = Part { arena, ops, heads: None, hashes: &[], ordinal: 0 };
        let chunk = Chunk::build(self.sorted_len as u64, &[part]);
        self.sorted_len += self.ops.len();
        self.arena.clear();
        self.ops.clear();
        Some(chunk)
    }

    /// Takes all operations as one chunk, whose ordinals begin at 0.
    pub(crate) fn take(&mut self) -> Option<Chunk> {
        let rest = self.sort_rest();
        let chunk = if self.chunks.newest().is_none() {
            rest
        } else {
            let mut chunks = self.chunks.oldest_first();
            chunks.extend(rest);
            Chunk::merge(&chunks)
        };
        self.clear();
        chunk
    }

    /// Puts back what was taken.
    pub(crate) fn put_back(&mut self, chunk: &Chunk) {
        self.sorted_len = chunk.len();
        self.key_bytes = chunk.arena_len();
        self.chunks = Chunks::default().with(chunk.at(0));
    }
}
