//! The notes of commits since the last checkpoint.

use std::ops::Range;

/// Notes in commit order, without an allocation for each.
#[derive(Default)]
pub(crate) struct Notes {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Notes {
    pub(crate) fn push(&mut self, note: &[u8]) {
        if !note.is_empty() {
            self.bytes.extend_from_slice(note);
            self.ends.push(self.bytes.len());
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Appends some of another's notes, until they have so many bytes; returns how far it came.
    pub(crate) fn copy(&mut self, from: &Self, notes: Range<usize>, bytes_max: usize) -> usize {
        let mut start = notes.start.checked_sub(1).map_or(0, |before| from.ends[before]);
        let (mut at, begun) = (notes.start, start);
        while at < notes.end && (start - begun < bytes_max || at == notes.start) {
            let end = from.ends[at];
            self.push(&from.bytes[start..end]);
            (at, start) = (at + 1, end);
        }
        at
    }

    /// How much memory they take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len() + self.ends.len() * size_of::<usize>()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let note = &self.bytes[start..end];
            start = end;
            note
        })
    }
}
