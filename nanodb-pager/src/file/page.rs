//! A page in memory and the header that every page on disk begins with.
//!
//! ```text
//! offset  size  field     meaning
//! ------  ----  --------  --------------------------------------------------
//!      0     8  checksum  XXH3-64 of bytes 8..4096, seeded with the file's
//!                         checksum seed XOR the page's number
//!      8     8  seq       the commit that wrote this version
//!     16     4  page      the page's own number
//!     20     4  owner     whose page it is; 0 is the pager
//!     24     1  kind      1 header, 2 stream, 16 and up for the layer above
//!     25     7  reserved  zero on write, covered by the checksum
//!     32  4064  body      for the layer above
//! ```
//!
//! All numbers are little-endian. The checksum covers the page number twice,
//! by the seed and by the field: a page that a disk wrote to the wrong place,
//! or that was copied from another file, is recognised.
//!
//! A [`Frame`] is one immutable version of a page. Its checksum field is filled
//! when the page is written to disk and means nothing before.

use bytemuck::{Pod, Zeroable};
use twox_hash::XxHash3_64;

use crate::error::Corruption;
use crate::ids::{Owner, PAGE_HEADER_SIZE, PAGE_SIZE, PageId, PageKind, Seq};

/// Where the checksummed part of a page begins.
const CHECKSUMMED_FROM: usize = 8;

/// The page header, exactly as stored.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct RawPageHeader {
    checksum: [u8; 8],
    seq: [u8; 8],
    page: [u8; 4],
    owner: [u8; 4],
    kind: u8,
    reserved: [u8; 7],
}

// The table above promises these numbers to every file already written.
const _: () = assert!(size_of::<RawPageHeader>() == PAGE_HEADER_SIZE);
const _: () = assert!(align_of::<RawPageHeader>() == 1);

/// One version of a page.
///
/// Aligned as allocators align everything. For more, glibc's takes room above what is asked for,
/// which the hole that a frame leaves does not have: a process that evicts and loads pages then
/// grows without end (to six times the cache, beside a snapshot). A cache line's alignment made
/// no difference to reads that could be measured.
#[derive(Clone, Copy)]
#[repr(C, align(16))]
pub(crate) struct Frame {
    pub(crate) bytes: [u8; PAGE_SIZE],
}

impl Frame {
    pub(crate) const ZERO: Self = Self { bytes: [0; PAGE_SIZE] };

    fn header(&self) -> &RawPageHeader {
        bytemuck::from_bytes(&self.bytes[..PAGE_HEADER_SIZE])
    }

    fn header_mut(&mut self) -> &mut RawPageHeader {
        bytemuck::from_bytes_mut(&mut self.bytes[..PAGE_HEADER_SIZE])
    }

    /// Makes this a fresh page: the body all zero.
    pub(crate) fn init(&mut self, page: PageId, kind: PageKind, owner: Owner) {
        self.bytes.fill(0);
        let header = self.header_mut();
        header.page = page.get().to_le_bytes();
        header.owner = owner.get().to_le_bytes();
        header.kind = kind.get();
    }

    pub(crate) fn set_seq(&mut self, seq: Seq) {
        self.header_mut().seq = seq.get().to_le_bytes();
    }

    #[inline]
    pub(crate) fn seq(&self) -> Seq {
        Seq::new(u64::from_le_bytes(self.header().seq))
    }

    /// The checksum that a page from disk carries.
    pub(crate) fn checksum(&self) -> u64 {
        u64::from_le_bytes(self.header().checksum)
    }

    #[inline]
    pub(crate) fn id(&self) -> PageId {
        PageId::new(u32::from_le_bytes(self.header().page))
    }

    #[inline]
    pub(crate) fn owner(&self) -> Owner {
        Owner::new(u32::from_le_bytes(self.header().owner))
    }

    #[inline]
    pub(crate) fn kind(&self) -> PageKind {
        PageKind::new(self.header().kind)
    }

    #[inline]
    pub(crate) fn body(&self) -> &[u8] {
        &self.bytes[PAGE_HEADER_SIZE..]
    }

    pub(crate) fn body_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[PAGE_HEADER_SIZE..]
    }
}

/// Computes the checksums of one file's pages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checksummer {
    seed: u64,
}

impl Checksummer {
    /// For the two header pages, which are read before the file's seed is known.
    pub(crate) const HEADER: Self = Self { seed: 0 };

    /// For all other pages of the file with this uuid.
    pub(crate) fn new(uuid: &[u8; 16]) -> Self {
        Self { seed: XxHash3_64::oneshot(uuid) }
    }

    /// The checksum of `bytes`, a whole page, whatever stands in their field for it.
    pub(crate) fn checksum(self, page: PageId, bytes: &[u8]) -> u64 {
        let seed = self.seed ^ u64::from(page.get());
        XxHash3_64::oneshot_with_seed(seed, bytes.get(CHECKSUMMED_FROM..).unwrap_or_default())
    }

    /// Writes the checksum into the first bytes of `bytes`, a whole page, and returns it.
    pub(crate) fn seal(self, page: PageId, bytes: &mut [u8]) -> u64 {
        let checksum = self.checksum(page, bytes);
        if let Some(field) = bytes.first_chunk_mut() {
            *field = checksum.to_le_bytes();
        }
        checksum
    }

    /// Checks what a page read from disk says of itself: checksum and number.
    pub(crate) fn verify(self, page: PageId, frame: &Frame) -> Result<(), Corruption> {
        let stored = u64::from_le_bytes(frame.header().checksum);
        let computed = self.checksum(page, &frame.bytes);
        if stored != computed {
            return Err(Corruption::Checksum { page, stored, computed });
        }
        if frame.id() != page {
            return Err(Corruption::Misplaced { page, found: frame.id().get() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_page_has_these_bytes_for_ever() {
        let mut frame = Frame::ZERO;
        frame.init(PageId::new(7), PageKind::new(16), Owner::new(3));
        frame.set_seq(Seq::new(0x0102));
        frame.body_mut()[0] = 0xAB;
        Checksummer::new(&[9; 16]).seal(PageId::new(7), &mut frame.bytes);
        assert_eq!(
            frame.bytes[8..34],
            [2, 1, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 3, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0xAB, 0]
        );
        assert_eq!(u64::from_le_bytes(frame.header().checksum), GOLDEN_CHECKSUM);
        assert_eq!(Checksummer::new(&[9; 16]).verify(PageId::new(7), &frame), Ok(()));
    }

    const GOLDEN_CHECKSUM: u64 = 7_147_831_862_456_139_287;

    #[test]
    fn every_flipped_bit_is_noticed() {
        let page = PageId::new(5);
        let summer = Checksummer::new(&[1; 16]);
        let mut frame = Frame::ZERO;
        frame.init(page, PageKind::new(16), Owner::new(1));
        summer.seal(page, &mut frame.bytes);
        for bit in 0..PAGE_SIZE * 8 {
            frame.bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(summer.verify(page, &frame).is_err(), "bit {bit}");
            frame.bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn a_page_of_another_place_or_file_is_refused() {
        let mut frame = Frame::ZERO;
        frame.init(PageId::new(5), PageKind::new(16), Owner::new(1));
        Checksummer::new(&[1; 16]).seal(PageId::new(5), &mut frame.bytes);
        assert!(Checksummer::new(&[1; 16]).verify(PageId::new(6), &frame).is_err());
        assert!(Checksummer::new(&[2; 16]).verify(PageId::new(5), &frame).is_err());
    }
}
