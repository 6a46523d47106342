//! The side area: page images that a checkpoint is about to write in place.
//!
//! A page that is overwritten in place may be torn by a power cut, and the log holds
//! only what changed of it. So a checkpoint first writes whole images to a file
//! beside the database and syncs them. After a crash a page that fails its checksum
//! is taken from there. Batches are appended, none written over, until the header of
//! the checkpoint is durable; then the area is empty again, by its tag.
//!
//! A batch, padded to 4,096 bytes, and its images behind it:
//!
//! ```text
//! offset  size  field       meaning
//! ------  ----  ----------  ------------------------------------------------
//!      0     8  checksum    XXH3-64 of bytes 8..56 + 4 * count
//!      8    16  magic       "NanoDB side\r\n\x1a\n\0"
//!     24    16  uuid        of the database
//!     40     8  generation  of the header that the checkpoint is going to write
//!     48     4  count       of pages
//!     52     4  reserved    zero
//!     56   4*n  pages       their numbers, in the order of the images
//! ```

use std::collections::HashMap;
use std::io;

use bytemuck::{Pod, Zeroable};
use twox_hash::XxHash3_64;

use crate::ids::{PAGE_SIZE, PageId};
use crate::page::{Checksummer, Frame};
use crate::storage::Storage;

/// What is appended to the database's name for the side area.
pub(crate) const SUFFIX: &str = "-side";

const MAGIC: [u8; 16] = *b"NanoDB side\r\n\x1a\n\0";

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct RawBatch {
    checksum: [u8; 8],
    magic: [u8; 16],
    uuid: [u8; 16],
    generation: [u8; 8],
    count: [u8; 4],
    reserved: [u8; 4],
}

const HEADER_SIZE: usize = size_of::<RawBatch>();
const _: () = assert!(HEADER_SIZE == 56 && align_of::<RawBatch>() == 1);

fn directory_size(count: usize) -> usize {
    (HEADER_SIZE + 4 * count).next_multiple_of(PAGE_SIZE)
}

/// The directory of a batch, behind which the images of its pages go, sealed.
pub(crate) fn directory(uuid: [u8; 16], generation: u64, pages: &[PageId]) -> Vec<u8> {
    let mut raw = RawBatch {
        checksum: [0; 8],
        magic: MAGIC,
        uuid,
        generation: generation.to_le_bytes(),
        // A batch is a few thousand pages at most.
        count: u32::try_from(pages.len()).unwrap_or(0).to_le_bytes(),
        reserved: [0; 4],
    };
    let mut bytes = Vec::with_capacity(directory_size(pages.len()));
    bytes.extend_from_slice(bytemuck::bytes_of(&raw));
    for page in pages {
        bytes.extend_from_slice(&page.get().to_le_bytes());
    }
    raw.checksum = XxHash3_64::oneshot(&bytes[8..]).to_le_bytes();
    bytes[..8].copy_from_slice(&raw.checksum);
    bytes.resize(directory_size(pages.len()), 0);
    bytes
}

/// The images of an interrupted checkpoint.
#[derive(Default)]
pub(crate) struct SideArea {
    images: HashMap<PageId, Vec<u64>, ahash::RandomState>,
    /// Where the next batch goes.
    pub(crate) end: u64,
}

impl SideArea {
    /// Finds the batches of the checkpoint that was going to write this header generation.
    pub(crate) fn read(file: &dyn Storage, uuid: [u8; 16], generation: u64) -> io::Result<Self> {
        let mut area = Self::default();
        let len = file.len()?;
        while let Some(pages) = read_directory(file, area.end, len, uuid, generation)? {
            let mut at = area.end + directory_size(pages.len()) as u64;
            for page in pages {
                area.images.entry(page).or_default().push(at);
                at += PAGE_SIZE as u64;
            }
            area.end = at;
        }
        Ok(area)
    }

    /// The newest image of a page that was written whole.
    pub(crate) fn find(
        &self,
        file: &dyn Storage,
        page: PageId,
        checksummer: Checksummer,
        frame: &mut Frame,
    ) -> io::Result<bool> {
        let mut newest = None;
        for &at in self.images.get(&page).into_iter().flatten() {
            match file.read_at(&mut frame.bytes, at) {
                // A batch that was cut off may name a place that still holds the image of an
                // earlier generation: the place says nothing of an image's age.
                Ok(()) if checksummer.verify(page, frame).is_ok() => {
                    newest = newest.max(Some((frame.seq(), at)));
                }
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
                Err(error) => return Err(error),
            }
        }
        let Some((_, at)) = newest else { return Ok(false) };
        file.read_at(&mut frame.bytes, at)?;
        Ok(true)
    }
}

/// The page numbers of the batch at `at`, if there is one of this generation.
fn read_directory(
    file: &dyn Storage,
    at: u64,
    len: u64,
    uuid: [u8; 16],
    generation: u64,
) -> io::Result<Option<Vec<PageId>>> {
    if at + HEADER_SIZE as u64 > len {
        return Ok(None);
    }
    let mut header = [0; HEADER_SIZE];
    file.read_at(&mut header, at)?;
    let raw: RawBatch = bytemuck::pod_read_unaligned(&header);
    let count = u32::from_le_bytes(raw.count) as usize;
    let ours = raw.magic == MAGIC
        && raw.uuid == uuid
        && u64::from_le_bytes(raw.generation) == generation
        && at + directory_size(count) as u64 <= len;
    if !ours {
        return Ok(None);
    }
    let mut bytes = vec![0; HEADER_SIZE + 4 * count];
    file.read_at(&mut bytes, at)?;
    if XxHash3_64::oneshot(&bytes[8..]) != u64::from_le_bytes(raw.checksum) {
        return Ok(None);
    }
    let number = |bytes: &[u8; 4]| PageId::new(u32::from_le_bytes(*bytes));
    let (pages, _) = bytes[HEADER_SIZE..].as_chunks::<4>();
    Ok(Some(pages.iter().map(number).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Owner, PageKind, Seq};
    use crate::storage::MemoryStorage;

    #[test]
    fn the_newest_image_counts_wherever_it_stands() {
        let (uuid, page, file) = ([7; 16], PageId::new(9), MemoryStorage::new());
        let checksummer = Checksummer::new(&uuid);
        let image = |seq| {
            let mut frame = Frame::ZERO;
            frame.init(page, PageKind::new(16), Owner::new(1));
            frame.set_seq(Seq::new(seq));
            checksummer.seal(page, &mut frame.bytes);
            frame.bytes
        };
        let mut batches = directory(uuid, 4, &[page]);
        batches.extend_from_slice(&image(8));
        // The directory of a later batch, before what an earlier generation left.
        batches.extend_from_slice(&directory(uuid, 4, &[page]));
        batches.extend_from_slice(&image(3));
        file.write_at(&batches, 0).unwrap();
        let area = SideArea::read(&file, uuid, 4).unwrap();
        let mut found = Frame::ZERO;
        assert!(area.find(&file, page, checksummer, &mut found).unwrap());
        assert_eq!(found.seq(), Seq::new(8));
    }
}
