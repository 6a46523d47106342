//! The metadata of commits since the last checkpoint.

use std::ops::Range;

/// What commits say besides pages, in commit order, without an allocation for each.
#[derive(Default)]
pub(crate) struct CommitMetadata {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl CommitMetadata {
    /// Adds what a commit says; a commit that says nothing leaves no trace.
    pub(crate) fn push(&mut self, metadata: &[u8]) {
        if !metadata.is_empty() {
            self.bytes.extend_from_slice(metadata);
            self.ends.push(self.bytes.len());
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Returns how many commits said something.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Appends what some of another's commits said, until that is `bytes_max` long; returns how
    /// far it came.
    pub(crate) fn copy(&mut self, from: &Self, commits: Range<usize>, bytes_max: usize) -> usize {
        let mut start = commits.start.checked_sub(1).map_or(0, |before| from.ends[before]);
        let (mut at, begun) = (commits.start, start);
        while at < commits.end && (start - begun < bytes_max || at == commits.start) {
            let end = from.ends[at];
            self.push(&from.bytes[start..end]);
            (at, start) = (at + 1, end);
        }
        at
    }

    /// Returns how much memory it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len() + self.ends.len() * size_of::<usize>()
    }

    /// Iterates over what each commit said.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let metadata = &self.bytes[start..end];
            start = end;
            metadata
        })
    }
}
