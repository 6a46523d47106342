//! Runs of bytes kept in chained pages: the root and the free map.
//!
//! A checkpoint writes each stream anew into free pages; the header then names
//! its first page and its length. The body of a stream page:
//!
//! ```text
//! offset  size  field  meaning
//! ------  ----  -----  -------------------------------
//!      0     4  next   the next page, 0 at the end
//!      4  4060  bytes  all full but the last page's
//! ```

use crate::error::{Corruption, Error, Result};
use crate::file::header::{HEADER_PAGES, StreamPlace};
use crate::file::page::{Checksummer, Frame};
use crate::file::storage::Storage;
use crate::ids::{BODY_SIZE, Extent, Owner, PageId, PageKind, Seq};

const NEXT_SIZE: usize = 4;

/// How many bytes of a stream one page holds.
const CAPACITY: usize = BODY_SIZE - NEXT_SIZE;

/// How many pages a stream of `len` bytes takes.
pub(crate) fn pages_for(len: usize) -> usize {
    len.div_ceil(CAPACITY)
}

/// The fewest bytes that take `pages` pages.
pub(crate) fn size_filling(pages: usize) -> usize {
    pages.checked_sub(1).map_or(0, |full| full * CAPACITY + 1)
}

/// Lays `bytes` out over `pages`, which are at least [`pages_for`] its length.
///
/// Pages that are not needed are left out.
pub(crate) fn encode(
    bytes: &[u8],
    pages: &[PageId],
    seq: Seq,
    checksummer: Checksummer,
) -> (StreamPlace, Vec<(PageId, Frame)>) {
    let used = pages_for(bytes.len());
    let pages = &pages[..used];
    let frames = bytes
        .chunks(CAPACITY)
        .zip(pages)
        .enumerate()
        .map(|(index, (chunk, &page))| {
            let next = pages.get(index + 1).map_or(0, |next| next.get());
            let mut frame = Frame::ZERO;
            frame.init(page, PageKind::STREAM, Owner::PAGER);
            frame.set_seq(seq);
            let body = frame.body_mut();
            body[..NEXT_SIZE].copy_from_slice(&next.to_le_bytes());
            body[NEXT_SIZE..NEXT_SIZE + chunk.len()].copy_from_slice(chunk);
            checksummer.seal(page, &mut frame.bytes);
            (page, frame)
        })
        .collect();
    let place =
        StreamPlace { page: pages.first().map_or(0, |page| page.get()), len: bytes.len() as u64 };
    (place, frames)
}

/// Reads a stream back: its bytes and the pages that hold it.
///
/// Takes no more memory than the file has bytes, whatever the header says, since
/// the bytes come page by page and no page comes twice.
pub(crate) fn read(
    storage: &dyn Storage,
    name: &'static str,
    place: StreamPlace,
    page_count: u32,
    newest: Seq,
    checksummer: Checksummer,
) -> Result<(Vec<u8>, Vec<Extent>)> {
    let mut chain = Chain::default();
    chain.read(storage, name, place, page_count, newest, checksummer)?;
    Ok((chain.bytes, chain.pages))
}

/// A stream as far as it was read.
#[derive(Default)]
pub(crate) struct Chain {
    pub(crate) bytes: Vec<u8>,
    /// The pages that were sound.
    pub(crate) pages: Vec<Extent>,
    /// The page that is being read; after an error the one that is not what it should be, if it is
    /// one of the file.
    pub(crate) reading: Option<PageId>,
}

impl Chain {
    /// As the function of that name. After an error it has what came before.
    pub(crate) fn read(
        &mut self,
        storage: &dyn Storage,
        name: &'static str,
        place: StreamPlace,
        page_count: u32,
        newest: Seq,
        checksummer: Checksummer,
    ) -> Result<()> {
        let mut next = place.page;
        let mut left = place.len;
        while left > 0 {
            let page = PageId::new(next);
            let broken = Corruption::Stream { page, stream: name };
            if !(HEADER_PAGES..page_count).contains(&next) {
                return Err(broken.into());
            }
            self.reading = Some(page);
            let mut frame = Frame::ZERO;
            storage
                .read_at(&mut frame.bytes, page.offset())
                .map_err(|e| Error::io(format!("reading {page}, part of the {name}"), e))?;
            checksummer.verify(page, &frame)?;
            // Only this bounds a chain that runs in a circle: no honest chain has more
            // pages than its length asks for, and the loop ends with the length.
            if frame.kind() != PageKind::STREAM || frame.owner() != Owner::PAGER {
                return Err(broken.into());
            }
            if frame.seq() > newest {
                let (seq, newest) = (frame.seq().get(), newest.get());
                return Err(Corruption::FromTheFuture { page, seq, newest }.into());
            }
            let take = usize::try_from(left).unwrap_or(usize::MAX).min(CAPACITY);
            let body = frame.body();
            self.bytes.extend_from_slice(&body[NEXT_SIZE..NEXT_SIZE + take]);
            left -= take as u64;
            push_page(&mut self.pages, page);
            self.reading = None;
            next = body.first_chunk().map_or(0, |next| u32::from_le_bytes(*next));
            if (next == 0) != (left == 0) {
                return Err(broken.into());
            }
        }
        Ok(())
    }
}

/// The next page of a stream, and the bytes that a full page of it has.
pub(crate) fn split(body: &[u8]) -> (PageId, &[u8]) {
    let (next, bytes) = body.split_first_chunk().unwrap_or((&[0; NEXT_SIZE], &[]));
    (PageId::new(u32::from_le_bytes(*next)), bytes)
}

/// Adds a page to a list of extents, lengthening the last one where it fits.
pub(crate) fn push_page(extents: &mut Vec<Extent>, page: PageId) {
    match extents.last_mut() {
        Some(last) if last.end() == u64::from(page.get()) => last.pages += 1,
        _ => extents.push(Extent::new(page, 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::storage::MemoryStorage;

    const SUMMER: Checksummer = Checksummer::HEADER;

    fn stored(bytes: &[u8], pages: &[u32]) -> (MemoryStorage, StreamPlace) {
        let pages: Vec<PageId> = pages.iter().copied().map(PageId::new).collect();
        let (place, frames) = encode(bytes, &pages, Seq::new(4), SUMMER);
        let storage = MemoryStorage::new();
        for (page, frame) in frames {
            storage.write_at(&frame.bytes, page.offset()).unwrap();
        }
        (storage, place)
    }

    #[test]
    fn a_stream_over_scattered_pages_reads_back() {
        let bytes: Vec<u8> = (0..251).cycle().take(3 * CAPACITY + 5).collect();
        let (storage, place) = stored(&bytes, &[9, 4, 5, 2]);
        let (read_back, pages) = read(&storage, "root", place, 10, Seq::new(4), SUMMER).unwrap();
        assert_eq!(read_back, bytes);
        let expected = [(9, 1), (4, 2), (2, 1)].map(|(s, n)| Extent::new(PageId::new(s), n));
        assert_eq!(pages, expected);
    }

    #[test]
    fn an_empty_stream_takes_no_page() {
        let (storage, place) = stored(&[], &[]);
        assert_eq!(place, StreamPlace::default());
        let (bytes, pages) = read(&storage, "root", place, 2, Seq::ZERO, SUMMER).unwrap();
        assert!(bytes.is_empty() && pages.is_empty());
    }

    #[test]
    fn a_length_that_the_chain_does_not_have_is_corruption() {
        let (storage, place) = stored(&[1; CAPACITY + 1], &[2, 3]);
        for len in [1, CAPACITY as u64, 3 * CAPACITY as u64] {
            let place = StreamPlace { len, ..place };
            let error = read(&storage, "root", place, 4, Seq::new(4), SUMMER).unwrap_err();
            assert!(matches!(error, Error::Corrupt(Corruption::Stream { .. })), "{error:?}");
        }
    }

    #[test]
    fn a_stream_page_newer_than_the_header_is_refused() {
        let (storage, place) = stored(&[1; 10], &[2]);
        let error = read(&storage, "root", place, 4, Seq::new(3), SUMMER).unwrap_err();
        assert!(matches!(error, Error::Corrupt(Corruption::FromTheFuture { seq: 4, .. })));
    }
}
