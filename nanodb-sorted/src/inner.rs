//! An inner page of a run (kind 20): which pages lie below, where each begins, and what it counts.
//!
//! ```text
//! offset  size     field       meaning
//! ------  -------  ----------  -------------------------------------------------------------
//!      0     4     index       number of the index within its collection
//!      4     2     children    pages below, at least 1
//!      6     1     level       1 above leaves, 2 above those, and so on
//!      7     1     reserved    zero
//!      8     8     net         of all entries below, signed
//!     16     2     prefix_len  bytes that all separators share at the front
//!     18     2     end         offset behind the tails
//!     20     .     prefix
//!      .   8*(n-1) heads       of each separator: the first 8 bytes behind the prefix, zeros
//!                              for those that are missing
//!      .   2*(n-1) lens        of each separator: its bytes behind the prefix; plus 32,768 if
//!                              it is `shared`
//!      .   2*(n-1) tails_at    of each separator: the offset of its tail
//!      .   4*n     pages       of each child: its page
//!      .   8*n     befores     of each child: the net of the entries below its left siblings,
//!                              signed
//!      .     .     tails       of each separator: what is behind its first 8 bytes
//! ```
//!
//! A separator stands between two children: the n-1 separators of n children. It is above all keys
//! on its left and not above any on its right, and the shortest such byte string. If the last key
//! on the left is the first one on the right, because its records go on there, the separator is
//! that key, and *shared*.
//!
//! A search is over the heads, which lie side by side. `befores` make the rank of a key one
//! descent.
//!
//! # Invariants
//!
//! 1. Separators rise; one may equal the one before only if it is shared.
//! 2. A child's level is one less. All children of level 1 are leaves.
//! 3. The net of a child is the next one's before less its own; of the last, `net` less its own.

mod builder;

pub(crate) use builder::{Child, InnerBuilder};

use std::cmp::Ordering;

use crate::BODY_LEN;
use crate::bytes::{count_below, head, head_at, u16_at, u32_at, u64_at};
use crate::error::Damage;
use crate::leaf::Boundary;
use crate::operation::KEY_LEN_MAX;

const HEADER_SIZE: usize = 20;
/// Bytes of a separator besides its tail, and of a child.
const SEPARATOR_SIZE: usize = 12;
const CHILD_SIZE: usize = 12;
const SHARED: u16 = 1 << 15;

/// The header of an inner page, checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InnerHeader {
    pub(crate) children: usize,
    pub(crate) net: i64,
    prefix_len: usize,
    end: usize,
}

impl InnerHeader {
    /// Reads the header of a body and checks that its parts have room in it.
    #[inline]
    pub(crate) fn parse(body: &[u8], index: u32, level: u8) -> Result<Self, Damage> {
        if body.len() != BODY_LEN {
            return Err(Damage::Length);
        }
        if u32_at(body, 0) != Some(index) {
            return Err(Damage::Index);
        }
        if body.get(6) != Some(&level) {
            return Err(Damage::Level);
        }
        let u16_at = |at| u16_at(body, at).map(usize::from).ok_or(Damage::Length);
        let header = Self {
            children: u16_at(4)?,
            net: u64_at(body, 8).ok_or(Damage::Length)?.cast_signed(),
            prefix_len: u16_at(16)?,
            end: u16_at(18)?,
        };
        let is_sound = header.children > 0
            && body.get(7) == Some(&0)
            && header.prefix_len <= KEY_LEN_MAX
            && header.tails_at() <= header.end
            && header.end <= BODY_LEN;
        if is_sound { Ok(header) } else { Err(Damage::Header) }
    }

    #[inline]
    fn heads_at(&self) -> usize {
        HEADER_SIZE + self.prefix_len
    }

    #[inline]
    fn pages_at(&self) -> usize {
        self.heads_at() + SEPARATOR_SIZE * (self.children - 1)
    }

    #[inline]
    fn tails_at(&self) -> usize {
        self.pages_at() + CHILD_SIZE * self.children
    }

    fn prefix<'b>(&self, body: &'b [u8]) -> &'b [u8] {
        body.get(HEADER_SIZE..self.heads_at()).unwrap_or(&[])
    }

    /// The page of a child.
    #[inline]
    pub(crate) fn page(&self, body: &[u8], child: usize) -> Result<u32, Damage> {
        u32_at(body, self.pages_at() + 4 * child).ok_or(Damage::Offset)
    }

    /// The net of all entries below the left siblings of a child.
    #[inline]
    pub(crate) fn before(&self, body: &[u8], child: usize) -> Result<i64, Damage> {
        let befores = self.pages_at() + 4 * self.children;
        let before = u64_at(body, befores + 8 * child).ok_or(Damage::Offset)?;
        Ok(before.cast_signed())
    }

    /// The length behind the prefix of the separator in front of child `number + 1`, whether it is
    /// shared, and its tail.
    #[inline]
    fn separator<'b>(
        &self,
        body: &'b [u8],
        number: usize,
    ) -> Result<(usize, bool, &'b [u8]), Damage> {
        let lens_at = self.heads_at() + 8 * (self.children - 1);
        let tails_at = lens_at + 2 * (self.children - 1);
        let word = u16_at(body, lens_at + 2 * number).ok_or(Damage::Offset)?;
        let at = u16_at(body, tails_at + 2 * number).ok_or(Damage::Offset)?.into();
        let len = usize::from(word & !SHARED);
        let tail_end = at + len.saturating_sub(8);
        let is_sound =
            self.prefix_len + len <= KEY_LEN_MAX && self.tails_at() <= at && tail_end <= self.end;
        if !is_sound {
            return Err(Damage::Offset);
        }
        Ok((len, word & SHARED != 0, body.get(at..tail_end).ok_or(Damage::Offset)?))
    }

    /// Compares a separator, without the prefix, with what is wanted; and whether it is shared.
    fn compare(
        &self,
        body: &[u8],
        number: usize,
        wanted: &[u8],
    ) -> Result<(Ordering, bool), Damage> {
        let (len, is_shared, tail) = self.separator(body, number)?;
        let head_bytes = head_at(body, self.heads_at(), number).to_be_bytes();
        let front = head_bytes.get(..len.min(8)).unwrap_or(&[]);
        Ok((front.iter().chain(tail).cmp(wanted), is_shared))
    }

    /// Appends a separator to `out`, which is emptied first; returns whether it is shared.
    pub(crate) fn separator_key(
        &self,
        body: &[u8],
        number: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, Damage> {
        let (len, is_shared, tail) = self.separator(body, number)?;
        let head_bytes = head_at(body, self.heads_at(), number).to_be_bytes();
        out.clear();
        out.extend_from_slice(self.prefix(body));
        out.extend_from_slice(head_bytes.get(..len.min(8)).unwrap_or(&[]));
        out.extend_from_slice(tail);
        Ok(is_shared)
    }

    /// Checks what no search looks at: that the tails lie side by side, and that nothing else is on
    /// the page. The order of separators is checked with the keys between them.
    pub(crate) fn verify(&self, body: &[u8]) -> Result<(), Damage> {
        let mut tails_at = self.tails_at();
        for number in 0..self.children - 1 {
            let (len, _, tail) = self.separator(body, number)?;
            let at = self.heads_at() + 10 * (self.children - 1) + 2 * number;
            if u16_at(body, at).map(usize::from) != Some(tails_at) {
                return Err(Damage::Offset);
            }
            tails_at += tail.len();
            let padding = head_at(body, self.heads_at(), number).to_be_bytes();
            if padding.iter().skip(len).any(|&byte| byte != 0) {
                return Err(Damage::Header);
            }
        }
        let behind = body.get(self.end..).unwrap_or(&[]);
        let is_sound = tails_at == self.end && behind.iter().all(|&byte| byte == 0);
        if is_sound { Ok(()) } else { Err(Damage::Header) }
    }

    /// Returns the child below which the place of a boundary is.
    ///
    /// All keys to the left of it are in front of the boundary, and none to the right of it is. In
    /// the child itself there may be keys on one side only.
    pub(crate) fn child(&self, body: &[u8], boundary: Boundary<'_>) -> Result<usize, Damage> {
        let separators = self.children - 1;
        let prefix = self.prefix(body);
        let Some(wanted) = boundary.key.strip_prefix(prefix) else {
            // All separators are on one side.
            return Ok(if prefix < boundary.key { separators } else { 0 });
        };
        let (wanted_head, heads_at) = (head(wanted), self.heads_at());
        let below = count_below(separators, |at| head_at(body, heads_at, at) < wanted_head);
        if below == separators || head_at(body, heads_at, below) != wanted_head {
            return Ok(below);
        }
        let same = count_below(separators - below, |at| {
            head_at(body, heads_at, below + at) <= wanted_head
        });
        let mut damage = None;
        let in_front = count_below(same, |at| {
            match self.compare(body, below + at, wanted) {
                // What equals a separator that is not shared is all on its right.
                Ok((Ordering::Equal, is_shared)) => boundary.is_after || !is_shared,
                Ok((ordering, _)) => ordering == Ordering::Less,
                Err(found) => {
                    damage = Some(found);
                    false
                }
            }
        });
        damage.map_or(Ok(below + in_front), Err)
    }
}
