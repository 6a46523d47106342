//! Files whose checksums are right and whose contents are not.
//!
//! Damage is caught by the checksum of the page it falls on. What somebody writes on
//! purpose, or a bug does, is not: behind a right checksum anything may stand. A
//! [`Forgery`] changes pages of a sound file and seals them again, as `page` and
//! `header` of `nanodb-pager` document it.

use nanodb_pager::{BODY_SIZE, PAGE_HEADER_SIZE, PAGE_SIZE};
use twox_hash::XxHash3_64;

/// Where a page's checksum ends, and what it covers begins.
const CHECKSUM_SIZE: usize = 8;

/// Offsets of the header's fields, in the page.
const UUID: usize = 56;
const ROOT_PAGE: usize = 100;
const ROOT_LEN: usize = 104;

/// Where the bytes begin in a stream page, behind the number of the next.
const STREAM_BYTES: usize = PAGE_HEADER_SIZE + 4;

/// A file that is being forged. Made of a sound one whose root fits one page.
#[derive(Clone, Debug)]
pub struct Forgery {
    bytes: Vec<u8>,
    seed: u64,
}

impl Forgery {
    /// Begins with the bytes of a sound file.
    pub fn of(file: &[u8]) -> Self {
        Self { bytes: file.to_vec(), seed: XxHash3_64::oneshot(&file[UUID..UUID + 16]) }
    }

    /// Returns the file as it is by now.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Returns how many pages it has.
    pub fn pages(&self) -> usize {
        self.bytes.len() / PAGE_SIZE
    }

    /// Returns the kind of a page.
    pub fn kind(&self, page: usize) -> u8 {
        self.bytes[page * PAGE_SIZE + 24]
    }

    /// Returns the owner of a page.
    pub fn owner(&self, page: usize) -> u32 {
        self.u32_at(page, 20)
    }

    /// Returns the body of a page.
    pub fn body(&self, page: usize) -> &[u8] {
        let start = page * PAGE_SIZE + PAGE_HEADER_SIZE;
        &self.bytes[start..start + BODY_SIZE]
    }

    /// Writes `bytes` over what lies at `offset` of a page, and seals it.
    pub fn put(&mut self, page: usize, offset: usize, bytes: &[u8]) -> &mut Self {
        let at = page * PAGE_SIZE + offset;
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self.seal(page)
    }

    /// Writes `bytes` over what lies at `offset` of a page's body, and seals it.
    pub fn put_body(&mut self, page: usize, offset: usize, bytes: &[u8]) -> &mut Self {
        self.put(page, PAGE_HEADER_SIZE + offset, bytes)
    }

    /// Writes `bytes` over what lies at `offset` of both copies of the header.
    pub fn put_header(&mut self, offset: usize, bytes: &[u8]) -> &mut Self {
        self.put(0, offset, bytes).put(1, offset, bytes)
    }

    /// Returns the page that the root begins on.
    pub fn root_page(&self) -> usize {
        usize::try_from(self.u32_at(0, ROOT_PAGE)).unwrap_or(usize::MAX)
    }

    /// Returns the root.
    pub fn root(&self) -> &[u8] {
        let len = usize::try_from(self.u32_at(0, ROOT_LEN)).unwrap_or(usize::MAX);
        let start = self.root_page() * PAGE_SIZE + STREAM_BYTES;
        &self.bytes[start..start + len]
    }

    /// Puts another root in its place, which must fit one page.
    pub fn set_root(&mut self, root: &[u8]) -> &mut Self {
        let page = self.root_page();
        self.put(page, STREAM_BYTES - 4, &[0; 4]).put(page, STREAM_BYTES, root);
        self.put_header(ROOT_LEN, &(root.len() as u64).to_le_bytes())
    }

    fn u32_at(&self, page: usize, offset: usize) -> u32 {
        let at = page * PAGE_SIZE + offset;
        let mut number = [0; 4];
        number.copy_from_slice(&self.bytes[at..at + 4]);
        u32::from_le_bytes(number)
    }

    fn seal(&mut self, page: usize) -> &mut Self {
        // The header's two pages are read before the seed is known.
        let seed = if page < 2 { page as u64 } else { self.seed ^ page as u64 };
        let start = page * PAGE_SIZE;
        let covered = &self.bytes[start + CHECKSUM_SIZE..start + PAGE_SIZE];
        let checksum = XxHash3_64::oneshot_with_seed(seed, covered);
        self.bytes[start..start + CHECKSUM_SIZE].copy_from_slice(&checksum.to_le_bytes());
        self
    }
}
