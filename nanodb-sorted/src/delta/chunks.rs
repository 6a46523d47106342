//! The chunks of a delta: a list that grows at one end and is never changed.

use std::sync::Arc;

use super::Chunk;

/// So many chunks of about the same size are merged.
const FAN_IN: usize = 4;

/// Chunks that follow each other. Cloning it, and adding a chunk, costs the same however many there
/// are: a list goes on with what was there before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chunks {
    newest: Option<Arc<Link>>,
}

#[derive(Debug)]
pub(crate) struct Link {
    chunk: Chunk,
    older: Chunks,
    /// Bytes of keys in this chunk and all older ones.
    key_bytes: usize,
}

impl Chunks {
    /// Makes a list of what an atomic cell keeps.
    pub(crate) fn of(newest: Option<Arc<Link>>) -> Self {
        Self { newest }
    }

    pub(crate) fn into_inner(self) -> Option<Arc<Link>> {
        self.newest
    }

    /// The newest chunk first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Chunk> {
        std::iter::successors(self.newest.as_deref(), move |before| before.older.newest.as_deref())
            .map(|link| &link.chunk)
    }

    pub(crate) fn newest(&self) -> Option<&Chunk> {
        self.newest.as_ref().map(|link| &link.chunk)
    }

    pub(crate) fn oldest_first(&self) -> Vec<Chunk> {
        let mut chunks: Vec<Chunk> = self.iter().cloned().collect();
        chunks.reverse();
        chunks
    }

    pub(crate) fn bytes(&self) -> usize {
        self.iter().map(Chunk::bytes).sum()
    }

    /// Adds a chunk in front of all others, merged with those that are smaller, and with three of
    /// its size if there are so many.
    ///
    /// So classes never fall toward older chunks, and of each there are three chunks at most.
    pub(crate) fn with(&self, chunk: Chunk) -> Self {
        let (taken, older) = self.mergeable(chunk.len());
        if taken == 0 {
            return self.followed_by(chunk);
        }
        let mut merged: Vec<Chunk> = self.iter().take(taken).cloned().collect();
        merged.reverse();
        merged.push(chunk);
        match Chunk::merge(&merged) {
            Some(merged) => older.followed_by(merged),
            None => older.clone(),
        }
    }

    fn followed_by(&self, chunk: Chunk) -> Self {
        let key_bytes = self.key_bytes() + chunk.arena_len();
        Self { newest: Some(Arc::new(Link { chunk, older: self.clone(), key_bytes })) }
    }

    /// The bytes of all keys.
    pub(crate) fn key_bytes(&self) -> usize {
        self.newest.as_ref().map_or(0, |link| link.key_bytes)
    }

    /// How many of the newest chunks a new one of a length is merged with, and what is left.
    fn mergeable(&self, len: usize) -> (usize, &Self) {
        let (mut taken, mut len, mut rest) = (0, len, self);
        loop {
            // Those that are smaller, and then up to three of the same size.
            let own = class(len);
            let (mut seen, mut joined, mut behind, mut same) = (0, len, rest, 0);
            let mut smaller = (0, len, rest);
            while let Some(link) = &behind.newest {
                let class = class(link.chunk.len());
                if class > own || same == FAN_IN - 1 {
                    break;
                }
                (seen, joined, behind) = (seen + 1, joined + link.chunk.len(), &link.older);
                if class == own {
                    same += 1;
                } else {
                    smaller = (seen, joined, behind);
                }
            }
            let next = if same == FAN_IN - 1 { (seen, joined, behind) } else { smaller };
            if next.0 == 0 {
                return (taken, rest);
            }
            (taken, len, rest) = (taken + next.0, next.1, next.2);
        }
    }
}

/// The size class of a chunk: four times the operations are one class more.
fn class(len: usize) -> u32 {
    len.max(1).ilog2() / 2
}

#[cfg(test)]
mod tests {
    use super::super::chunk::{Op, Part};
    use super::*;
    use crate::record_id::RecordId;

    fn chunk(first: u64, len: u32) -> Chunk {
        let record = RecordId::default();
        let ops: Vec<Op> = (0..len).map(|at| Op::new(0, 0, at, record, at % 2 == 1)).collect();
        Chunk::build(first, &[Part { arena: &[], ops: &ops, heads: None, hashes: &[], ordinal: 0 }])
    }

    #[test]
    fn there_are_few_chunks_whatever_their_sizes() {
        for seed in 0..20 {
            let mut random = fastrand::Rng::with_seed(seed);
            let (mut chunks, mut end) = (Chunks::default(), 0);
            for _ in 0..3_000 {
                let largest = if random.u32(..100) == 0 { 2_000 } else { 3 };
                let len = if seed == 0 { 1 } else { random.u32(1..=largest) };
                chunks = chunks.with(chunk(end, len));
                end += u64::from(len);
            }
            let list = chunks.oldest_first();
            assert!(list.first().is_some_and(|chunk| chunk.first() == 0));
            assert!(list.windows(2).all(|pair| pair[0].end() == pair[1].first()));
            assert_eq!(list.last().map(Chunk::end), Some(end));
            let classes: Vec<u32> = list.iter().map(|chunk| class(chunk.len())).collect();
            assert!(classes.is_sorted_by(|older, newer| older >= newer), "{classes:?}");
            assert!(classes.chunk_by(|a, b| a == b).all(|same| same.len() < FAN_IN), "{classes:?}");
        }
    }
}
