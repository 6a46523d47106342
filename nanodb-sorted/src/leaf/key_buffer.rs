//! A key that is rebuilt piece by piece.

use crate::operation::KEY_LEN_MAX;

/// Bytes that are copied at once, however few of them are wanted: one load and one store.
const CHUNK: usize = 8;

/// The room for a first key; a longer one makes room for the longest at once.
const LEN_MIN: usize = 120;

/// Bytes with room for those that are copied too many.
#[derive(Debug, Default)]
pub(super) struct KeyBuffer {
    bytes: Box<[u8]>,
    len: usize,
}

impl KeyBuffer {
    #[inline]
    pub(super) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Keeps the first so many bytes; not more than there are.
    #[inline]
    pub(super) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Appends `len` bytes of `from`, from `at` on. There must be so many. The key has room for
    /// them if a page's header or a raw key says so; else they are left out.
    #[inline]
    pub(super) fn extend(&mut self, from: &[u8], at: usize, len: usize) {
        let source = from.get(at..).unwrap_or(&[]);
        let target = self.bytes.get_mut(self.len..).unwrap_or(&mut []);
        match (source.first_chunk::<CHUNK>(), target.first_chunk_mut::<CHUNK>()) {
            // What is copied beyond the key is overwritten by what follows.
            (Some(source), Some(target)) if len <= CHUNK => {
                *target = *source;
                self.len += len;
            }
            _ => self.extend_far(source.get(..len).unwrap_or(&[])),
        }
    }

    fn extend_far(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        if self.bytes.len() < end + CHUNK {
            let len = if end <= LEN_MIN { LEN_MIN } else { KEY_LEN_MAX };
            let mut larger = vec![0; len + CHUNK];
            larger.iter_mut().zip(&self.bytes).for_each(|(to, from)| *to = *from);
            self.bytes = larger.into();
        }
        if let Some(target) = self.bytes.get_mut(self.len..self.len + bytes.len()) {
            target.copy_from_slice(bytes);
            self.len += bytes.len();
        }
    }
}
