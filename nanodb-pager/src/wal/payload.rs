//! What a commit's record says: its metadata, the pages it took and gave back, the bytes
//! it changed.
//!
//! All numbers are LEB128.
//!
//! ```text
//! metadata   len, bytes
//! allocated  count, then for each extent: start, pages
//! freed      count, then for each extent: start, pages
//! pages      count, then for each page:
//!              page
//!              0 (delta: the page's last version is the base)
//!                or 1, kind, owner (init: the base is all zero)
//!                or 2, checksum, eight bytes (unlogged: the page is in the data file, whole,
//!                and carries this checksum; this is the end of its entry)
//!              len of the rest of this page's entry in bytes
//!              count of ranges, then for each range: gap from the end of the range
//!              before it (from the body's start for the first), len, bytes
//! ```
//!
//! Ranges hold absolute bytes of the body, so applying an entry twice does no harm.

use std::collections::BTreeMap;

use crate::file::page::Frame;
use crate::ids::{BODY_SIZE, Extent, Owner, PageId, PageKind};
use crate::leb128;
use crate::txn::dirty_ranges::DirtyRanges;

/// Builds a commit's payload.
pub(crate) struct Builder<'a> {
    bytes: &'a mut Vec<u8>,
}

impl<'a> Builder<'a> {
    /// Begins a payload at the end of `bytes`.
    pub(crate) fn new(
        bytes: &'a mut Vec<u8>,
        metadata: &[u8],
        allocated: &BTreeMap<u32, u32>,
        freed: &BTreeMap<u32, u32>,
        pages: usize,
    ) -> Self {
        push_len(bytes, metadata.len());
        bytes.extend_from_slice(metadata);
        push_extents(bytes, allocated);
        push_extents(bytes, freed);
        push_len(bytes, pages);
        Self { bytes }
    }

    /// Adds a page that was written to the data file.
    pub(crate) fn unlogged(&mut self, page: PageId, checksum: u64) {
        leb128::push(self.bytes, page.get());
        self.bytes.push(2);
        self.bytes.extend_from_slice(&checksum.to_le_bytes());
    }

    /// Adds what `dirty` names of `frame`.
    pub(crate) fn page(&mut self, page: PageId, frame: &Frame, fresh: bool, dirty: &DirtyRanges) {
        let bytes = &mut *self.bytes;
        leb128::push(bytes, page.get());
        bytes.push(u8::from(fresh));
        if fresh {
            bytes.push(frame.kind().get());
            leb128::push(bytes, frame.owner().get());
        }
        // Headers of ranges are a few bytes each: measured first, so that the length
        // can stand before them.
        let mut end = 0;
        let mut len = leb128_len(dirty.iter().count());
        for range in dirty.iter() {
            len += leb128_len(range.start - end) + leb128_len(range.len()) + range.len();
            end = range.end;
        }
        push_len(bytes, len);
        push_len(bytes, dirty.iter().count());
        let mut end = 0;
        for range in dirty.iter() {
            push_len(bytes, range.start - end);
            push_len(bytes, range.len());
            end = range.end;
            bytes.extend_from_slice(&frame.body()[range]);
        }
    }
}

/// Lengths here are of metadata and pages' parts, far below 4 GiB; longer metadata is
/// refused before it comes here.
fn push_len(bytes: &mut Vec<u8>, len: usize) {
    leb128::push(bytes, u32::try_from(len).unwrap_or(u32::MAX));
}

fn leb128_len(number: usize) -> usize {
    (usize::BITS - number.leading_zeros()).div_ceil(7).max(1) as usize
}

/// `extents` are lengths by first page.
fn push_extents(bytes: &mut Vec<u8>, extents: &BTreeMap<u32, u32>) {
    push_len(bytes, extents.len());
    for (&start, &pages) in extents {
        leb128::push(bytes, start);
        leb128::push(bytes, pages);
    }
}

/// A commit's payload, read back.
pub(crate) struct Payload<'a> {
    pub(crate) metadata: &'a [u8],
    pub(crate) allocated: Vec<Extent>,
    pub(crate) freed: Vec<Extent>,
    pages: u32,
    len: usize,
    rest: &'a [u8],
}

/// How a page's entry is to be applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Base {
    /// To the page's last version.
    Delta,
    /// To a page of zeros of this kind and owner.
    Init { kind: PageKind, owner: Owner },
    /// To nothing: the data file has the page, with this checksum.
    Unlogged { checksum: u64 },
}

/// One page's entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PageEntry<'a> {
    pub(crate) page: PageId,
    pub(crate) base: Base,
    /// What [`apply`] takes.
    pub(crate) ranges: &'a [u8],
    /// Where the entry begins in the payload.
    pub(crate) offset: usize,
}

/// What an entry says before its ranges.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Head {
    pub(crate) page: PageId,
    pub(crate) base: Base,
    /// How many bytes of ranges follow.
    pub(crate) ranges_len: u32,
    /// How many bytes this took.
    pub(crate) size: usize,
}

/// More bytes no head has.
pub(crate) const HEAD_SIZE_MAX: usize = 5 + 1 + 1 + 5 + 5;

impl Head {
    /// Reads the head of the entry that `bytes` begin with; nothing if they begin with none.
    pub(crate) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let len = bytes.len();
        let (page, base, ranges_len) = take_head(&mut bytes)?;
        Some(Self { page, base, ranges_len, size: len - bytes.len() })
    }
}

impl<'a> Payload<'a> {
    /// Nothing if the bytes are no payload.
    pub(crate) fn decode(mut bytes: &'a [u8]) -> Option<Self> {
        let len = bytes.len();
        let metadata_len = leb128::take(&mut bytes)?;
        let metadata = leb128::take_bytes(&mut bytes, metadata_len)?;
        let allocated = take_extents(&mut bytes)?;
        let freed = take_extents(&mut bytes)?;
        let pages = leb128::take(&mut bytes)?;
        Some(Self { metadata, allocated, freed, pages, len, rest: bytes })
    }

    /// The pages' entries; ends with `None` in place of one that makes no sense.
    pub(crate) fn pages(&self) -> impl Iterator<Item = Option<PageEntry<'a>>> {
        let (mut rest, len) = (self.rest, self.len);
        (0..self.pages).map(move |_| take_page(&mut rest, len)).scan(false, |failed, entry| {
            if *failed {
                return None;
            }
            *failed = entry.is_none();
            Some(entry)
        })
    }
}

fn take_extents(bytes: &mut &[u8]) -> Option<Vec<Extent>> {
    let count = leb128::take(bytes)?;
    // An extent takes two bytes at least: no count may ask for more memory than that.
    if count as usize > bytes.len() / 2 {
        return None;
    }
    let mut extents = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let start = leb128::take(bytes)?;
        extents.push(Extent::new(PageId::new(start), leb128::take(bytes)?));
    }
    Some(extents)
}

fn take_page<'a>(bytes: &mut &'a [u8], payload_len: usize) -> Option<PageEntry<'a>> {
    let offset = payload_len - bytes.len();
    let (page, base, len) = take_head(bytes)?;
    Some(PageEntry { page, base, ranges: leb128::take_bytes(bytes, len)?, offset })
}

/// The page, what to begin from, and how many bytes of ranges follow.
fn take_head(bytes: &mut &[u8]) -> Option<(PageId, Base, u32)> {
    let page = PageId::new(leb128::take(bytes)?);
    let base = match *leb128::take_bytes(bytes, 1)?.first()? {
        0 => Base::Delta,
        1 => {
            let kind = PageKind::new(*leb128::take_bytes(bytes, 1)?.first()?);
            Base::Init { kind, owner: Owner::new(leb128::take(bytes)?) }
        }
        2 => {
            let (checksum, rest) = bytes.split_first_chunk()?;
            *bytes = rest;
            return Some((page, Base::Unlogged { checksum: u64::from_le_bytes(*checksum) }, 0));
        }
        _ => return None,
    };
    Some((page, base, leb128::take(bytes)?))
}

/// Overwrites the ranges of `body` that an entry names.
///
/// Nothing if they make no sense; part of them may then be applied.
pub(crate) fn apply(mut ranges: &[u8], body: &mut [u8]) -> Option<()> {
    let count = leb128::take(&mut ranges)?;
    let mut end = 0_usize;
    for _ in 0..count {
        let start = end.checked_add(leb128::take(&mut ranges)? as usize)?;
        let len = leb128::take(&mut ranges)?;
        end = start.checked_add(len as usize)?;
        let bytes = leb128::take_bytes(&mut ranges, len)?;
        body.get_mut(start..end)?.copy_from_slice(bytes);
    }
    (ranges.is_empty() && end <= BODY_SIZE).then_some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_payload_reads_back() {
        let mut frame = Frame::ZERO;
        frame.init(PageId::new(300), PageKind::new(16), Owner::new(9));
        frame.body_mut()[5..9].copy_from_slice(b"abcd");
        let mut dirty = DirtyRanges::default();
        dirty.mark(5..9);
        dirty.mark(4000..4064);
        let allocated = [Extent::new(PageId::new(300), 4)];
        let freed = [Extent::new(PageId::new(7), 1), Extent::new(PageId::new(9), 2)];

        let mut bytes = Vec::new();
        let map = |extents: &[Extent]| extents.iter().map(|e| (e.start.get(), e.pages)).collect();
        let mut builder = Builder::new(&mut bytes, b"metadata", &map(&allocated), &map(&freed), 3);
        builder.page(PageId::new(300), &frame, true, &dirty);
        builder.unlogged(PageId::new(301), 0x0807_0605_0403_0201);
        builder.page(PageId::new(8), &frame, false, &DirtyRanges::default());

        let payload = Payload::decode(&bytes).unwrap();
        assert_eq!(payload.metadata, b"metadata");
        assert_eq!(
            (payload.allocated.as_slice(), payload.freed.as_slice()),
            (&allocated[..], &freed[..])
        );
        let pages: Vec<_> = payload.pages().map(Option::unwrap).collect();
        assert_eq!(pages[0].base, Base::Init { kind: PageKind::new(16), owner: Owner::new(9) });
        assert_eq!(pages.iter().map(|entry| entry.page.get()).collect::<Vec<_>>(), [300, 301, 8]);
        assert_eq!(pages[1].base, Base::Unlogged { checksum: 0x0807_0605_0403_0201 });
        for entry in &pages {
            let head = Head::decode(&bytes[entry.offset..]).unwrap();
            assert_eq!((head.page, head.base), (entry.page, entry.base));
            assert!(bytes[entry.offset + head.size..].starts_with(entry.ranges));
            assert!(head.size <= HEAD_SIZE_MAX && head.ranges_len as usize == entry.ranges.len());
        }
        assert_eq!(pages[2].base, Base::Delta);
        let mut body = vec![0; BODY_SIZE];
        apply(pages[0].ranges, &mut body).unwrap();
        assert_eq!(body, frame.body());
    }

    #[test]
    fn a_payload_has_these_bytes_for_ever() {
        let mut frame = Frame::ZERO;
        frame.init(PageId::new(300), PageKind::new(16), Owner::new(9));
        frame.body_mut()[200..202].copy_from_slice(b"ab");
        let mut dirty = DirtyRanges::default();
        dirty.mark(200..202);
        let mut bytes = Vec::new();
        let (taken, given) = (BTreeMap::from([(300, 2)]), BTreeMap::from([(7, 1)]));
        let mut builder = Builder::new(&mut bytes, b"n", &taken, &given, 3);
        builder.page(PageId::new(300), &frame, true, &dirty);
        builder.page(PageId::new(8), &frame, false, &dirty);
        builder.unlogged(PageId::new(301), 0x0807_0605_0403_0201);
        let expected = [
            &[1, b'n'][..],
            &[1, 0xAC, 2, 2],
            &[1, 7, 1],
            &[3],
            &[0xAC, 2, 1, 16, 9, 6, 1, 0xC8, 1, 2, b'a', b'b'],
            &[8, 0, 6, 1, 0xC8, 1, 2, b'a', b'b'],
            &[0xAD, 2, 2, 1, 2, 3, 4, 5, 6, 7, 8],
        ];
        assert_eq!(bytes, expected.concat());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_payload_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(payload) = Payload::decode(&bytes) {
                for entry in payload.pages().flatten() {
                    let mut body = [0; BODY_SIZE];
                    let _ = apply(entry.ranges, &mut body);
                }
            }
        }
    }
}
