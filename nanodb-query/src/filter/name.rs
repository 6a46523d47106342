//! A field's name, prepared so that a walk over a document recognises it with one comparison.

use crate::path::Part;
use nanodb_msgpack::Cursor;

/// The name of a field, as the first bytes of its MessagePack token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Name {
    /// The first bytes, followed by zeros if there are fewer.
    head: u64,
    /// The bits of `head` that are compared.
    mask: u64,
    /// Whether `head` is the whole token.
    is_whole: bool,
}

impl Name {
    pub(super) fn new(part: Option<&Part>) -> Self {
        let token = part.map(Part::token).unwrap_or_default();
        let (mut head, mut mask) = ([0; 8], [0; 8]);
        for ((head, mask), &byte) in head.iter_mut().zip(&mut mask).zip(token) {
            (*head, *mask) = (byte, 0xff);
        }
        Self {
            head: u64::from_le_bytes(head),
            mask: u64::from_le_bytes(mask),
            is_whole: (1..=head.len()).contains(&token.len()),
        }
    }

    /// Returns whether the name at the cursor is this one, which is that of `part`.
    #[inline]
    pub(super) fn is_at(self, cursor: Cursor<'_>, part: Option<&Part>) -> bool {
        let Some(bytes) = cursor.rest().first_chunk() else { return is_part_at(cursor, part) };
        if u64::from_le_bytes(*bytes) & self.mask == self.head {
            return self.is_whole || part.is_some_and(|part| part.is_at(cursor));
        }
        // A name that is not in the shortest form begins otherwise.
        matches!(bytes[0], 0xd9..=0xdb) && is_part_at(cursor, part)
    }
}

#[cold]
fn is_part_at(cursor: Cursor<'_>, part: Option<&Part>) -> bool {
    part.is_some_and(|part| part.is_at(cursor))
}
