//! The delta: operations that no run has yet, in memory.

mod chunk;
mod chunks;
mod cursor;
mod pending;

pub(crate) use chunk::Chunk;
pub(crate) use chunks::Chunks;
pub(crate) use cursor::ChunkCursor;
pub use pending::Pending;

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::error::Refused;
use crate::operation::Operation;
use chunks::Link;
use pending::ARENA_MAX;

/// The operations on an index since its newest run, in the order of their commits: each has an
/// *ordinal*, and the first one that of the delta.
///
/// A commit appends its operations as one sorted chunk. Chunks of about the same size are merged,
/// four at a time, so that there are few. Readers load the list of chunks, wait for nobody, and
/// leave out what is from an ordinal on: the same list shows each its own commit. Nothing is ever
/// dropped from a delta; the next run ends it, and a new one begins.
#[derive(Debug)]
pub struct Delta {
    start: u64,
    chunks: ArcSwapOption<Link>,
}

impl Delta {
    /// Begins a delta whose first operation will have an ordinal.
    #[must_use]
    pub fn new(start: u64) -> Self {
        Self { start, chunks: ArcSwapOption::empty() }
    }

    /// Appends the operations of a commit, which then has none any more; returns the ordinal
    /// behind them. Readers of the commit, and of later ones, see what is below it.
    ///
    /// Calls for one delta should take turns. If two meet, both are appended, one of them later.
    ///
    /// For commits of 1,000 operations with random keys it takes some 0.1 µs an operation,
    /// merges of chunks included.
    ///
    /// # Errors
    ///
    /// [`Refused::TooMany`] if the delta would have more than 4 GiB; then nothing is appended.
    pub fn append(&self, pending: &mut Pending) -> Result<u64, Refused> {
        let Some(chunk) = pending.take() else { return Ok(self.end()) };
        loop {
            let current = self.chunks();
            let end = current.newest().map_or(self.start, Chunk::end);
            let chunk = chunk.at(end);
            let key_bytes = current.key_bytes() + chunk.arena_len();
            let new_end = chunk.end();
            if key_bytes > ARENA_MAX || new_end - self.start >= u64::from(u32::MAX) {
                pending.put_back(&chunk);
                return Err(Refused::TooMany);
            }
            let new = current.with(chunk).into_inner();
            let current = current.into_inner();
            let previous = self.chunks.compare_and_swap(&current, new);
            if is_same(&previous, &current) {
                return Ok(new_end);
            }
        }
    }

    /// Returns the ordinal of the first operation, whether there is one or not.
    #[must_use]
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Returns the ordinal behind the last operation.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.chunks().newest().map_or(self.start, Chunk::end)
    }

    /// Returns how many operations there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.end() - self.start
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the bytes of memory that it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.chunks().bytes()
    }

    /// Returns a delta that begins at an ordinal, with the operations from there on: what is left
    /// when those before are in a run.
    ///
    /// # Errors
    ///
    /// [`Refused`] cannot occur for operations that are in a delta already.
    pub fn since(&self, ordinal: u64) -> Result<Self, Refused> {
        let start = ordinal.max(self.start);
        let mut pending = Pending::new();
        let mut refused = None;
        self.for_each_in_order(start, &mut |_, operation| {
            if let Err(error) = pending.push(operation) {
                refused = Some(error);
            }
        });
        if let Some(error) = refused {
            return Err(error);
        }
        let rest = Self::new(start);
        rest.append(&mut pending)?;
        Ok(rest)
    }

    /// Calls `visit` for each operation from an ordinal on, in the order of their commits, with its
    /// ordinal.
    pub fn for_each_in_order(&self, from: u64, visit: &mut dyn FnMut(u64, Operation<'_>)) {
        for chunk in self.chunks().oldest_first().iter().filter(|chunk| chunk.end() > from) {
            chunk.for_each_in_order(from, visit);
        }
    }

    /// All chunks that there are now.
    pub(crate) fn chunks(&self) -> Chunks {
        Chunks::of(self.chunks.load_full())
    }
}

fn is_same(a: &Option<Arc<Link>>, b: &Option<Arc<Link>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, None) => true,
        _ => false,
    }
}
