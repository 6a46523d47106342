//! The side area: page images that a checkpoint is about to write in place.
//!
//! A page that is overwritten in place may be torn by a power cut, and the log holds only what
//! changed of it. So a checkpoint first writes whole images to a file beside the database and syncs
//! them. After a crash a page that fails its checksum is taken from there. Batches are appended,
//! none written over, until the header of the checkpoint is durable; then the area is empty again,
//! by its tag. Only on a full disk the next batch is written over the ones before: their pages have
//! been written in place and synced by then, so nobody wants their images. The images of an
//! interrupted checkpoint are never written over before the one that follows it is durable.
//!
//! A batch, padded to 4,096 bytes, and its images behind it:
//!
//! ```text
//! offset  size  field           meaning
//! ------  ----  --------------  ----------------------------------------------
//!      0     8  checksum        XXH3-64 of bytes 8..64 + 12 * count
//!      8    16  magic           "NanoDB dwb\r\n\x1a\n\0\0"
//!     24    16  uuid            of the database
//!     40     8  generation      of the header that the checkpoint is going to write
//!     48     4  count           of images
//!     52     4  format_version  3
//!     56     8  salt            random; the same in all batches of an area
//!     64  12*n  images          of each: its page's number (4), the checksum that it
//!                               carries (8); in the order of the images
//! ```
//!
//! The file is written over again and again, and a power cut may keep a directory and lose
//! images: then behind it lies what an earlier checkpoint wrote, as sound as ever. So an image
//! counts only if it carries the checksum that the directory names, and of several the last.
//! A batch whose images reach behind the end of the file never was on stable storage, so
//! nothing was written in place on the strength of it: it does not count, and the next is
//! written over it. The salt keeps batches apart that stand one behind the other by chance.

use std::collections::HashMap;
use std::io;

use bytemuck::{Pod, Zeroable};
use parking_lot::Mutex;
use twox_hash::XxHash3_64;

use crate::file::header::FORMAT_VERSION;
use crate::file::page::{Checksummer, Frame};
use crate::file::storage::Storage;
use crate::hash::RandomState;
use crate::ids::{PAGE_SIZE, PageId};
use crate::random;

/// What is appended to the database's name for the side area.
pub(crate) const SUFFIX: &str = "-dwb";

const MAGIC: [u8; 16] = *b"NanoDB dwb\r\n\x1a\n\0\0";

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct RawBatch {
    checksum: [u8; 8],
    magic: [u8; 16],
    uuid: [u8; 16],
    generation: [u8; 8],
    count: [u8; 4],
    format_version: [u8; 4],
    salt: [u8; 8],
}

/// So many images a batch has on a full disk.
pub(crate) const KEPT_IMAGES: usize = 16;

/// So long the file is from the first commit on: it takes such a batch.
pub(crate) const KEPT_LEN: u64 = ((KEPT_IMAGES + 1) * PAGE_SIZE) as u64;

const HEADER_SIZE: usize = size_of::<RawBatch>();
const _: () = assert!(HEADER_SIZE == 64 && align_of::<RawBatch>() == 1);

/// What the directory says of an image: page and checksum.
const ENTRY_SIZE: usize = 12;

/// How long a batch of so many images is.
pub(crate) fn len_for(images: usize) -> u64 {
    (directory_size(images) + images * PAGE_SIZE) as u64
}

fn directory_size(count: usize) -> usize {
    (HEADER_SIZE + ENTRY_SIZE * count).next_multiple_of(PAGE_SIZE)
}

/// Whose area it is and of which checkpoint, and where its next batch goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Tail {
    pub(crate) end: u64,
    salt: u64,
}

impl Tail {
    /// Of an area that begins anew.
    pub(crate) fn new() -> Self {
        Self { end: 0, salt: random::bits() }
    }
}

/// The directory of a batch that goes to `tail`: for each image its page and the checksum that
/// it carries. Behind it go the images, sealed.
pub(crate) fn directory(
    uuid: [u8; 16],
    generation: u64,
    tail: Tail,
    images: &[(PageId, u64)],
) -> Vec<u8> {
    let mut raw = RawBatch {
        checksum: [0; 8],
        magic: MAGIC,
        uuid,
        generation: generation.to_le_bytes(),
        // A batch is a few thousand pages at most.
        count: u32::try_from(images.len()).unwrap_or(0).to_le_bytes(),
        format_version: FORMAT_VERSION.to_le_bytes(),
        salt: tail.salt.to_le_bytes(),
    };
    let mut bytes = Vec::with_capacity(directory_size(images.len()));
    bytes.extend_from_slice(bytemuck::bytes_of(&raw));
    for (page, checksum) in images {
        bytes.extend_from_slice(&page.get().to_le_bytes());
        bytes.extend_from_slice(&checksum.to_le_bytes());
    }
    raw.checksum = XxHash3_64::oneshot(&bytes[8..]).to_le_bytes();
    bytes[..8].copy_from_slice(&raw.checksum);
    bytes.resize(directory_size(images.len()), 0);
    bytes
}

/// The uuid of the database that a side area belongs to by its first bytes; none if they are
/// no side area's.
pub(crate) fn uuid_in(sign: &[u8]) -> Option<[u8; 16]> {
    let is_side = sign.get(8..24)? == MAGIC;
    if is_side { sign.get(24..40)?.try_into().ok() } else { None }
}

/// The images of an interrupted checkpoint.
pub(crate) struct DoubleWriteBuffer {
    /// Of each page, in the order in which they were written. Those that turned out not to be what
    /// the directory says are gone: none is read twice in vain.
    images: Mutex<HashMap<PageId, Vec<Image>, RandomState>>,
    pub(crate) tail: Tail,
}

#[derive(Clone, Copy)]
struct Image {
    at: u64,
    checksum: u64,
}

impl DoubleWriteBuffer {
    /// Finds the batches of the checkpoint that was going to write this header generation.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub(crate) fn read(file: &dyn Storage, uuid: [u8; 16], generation: u64) -> io::Result<Self> {
        let mut images = HashMap::<PageId, Vec<Image>, RandomState>::default();
        let mut tail = Tail::new();
        let len = file.len()?;
        while let Some(batch) = read_directory(file, tail.end, len, uuid, generation)? {
            if tail.end == 0 {
                tail.salt = batch.salt;
            }
            if batch.salt != tail.salt {
                break;
            }
            let mut at = tail.end + directory_size(batch.images.len()) as u64;
            for (page, checksum) in batch.images {
                images.entry(page).or_default().push(Image { at, checksum });
                at += PAGE_SIZE as u64;
            }
            tail.end = at;
        }
        Ok(Self { images: Mutex::new(images), tail })
    }

    /// The last image of a page that was written whole.
    pub(crate) fn find(
        &self,
        file: &dyn Storage,
        page: PageId,
        checksummer: Checksummer,
        frame: &mut Frame,
    ) -> io::Result<bool> {
        let mut images = self.images.lock();
        let Some(images) = images.get_mut(&page) else { return Ok(false) };
        while let Some(&Image { at, checksum }) = images.last() {
            match file.read_at(&mut frame.bytes, at) {
                Ok(()) => {
                    if frame.checksum() == checksum && checksummer.verify(page, frame).is_ok() {
                        return Ok(true);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
                Err(error) => return Err(error),
            }
            images.pop();
        }
        Ok(false)
    }
}

/// What a directory says.
struct Batch {
    salt: u64,
    images: Vec<(PageId, u64)>,
}

/// The batch at `at`, if there is a whole one of this generation.
fn read_directory(
    file: &dyn Storage,
    at: u64,
    len: u64,
    uuid: [u8; 16],
    generation: u64,
) -> io::Result<Option<Batch>> {
    if at + HEADER_SIZE as u64 > len {
        return Ok(None);
    }
    let mut header = [0; HEADER_SIZE];
    file.read_at(&mut header, at)?;
    let raw: RawBatch = bytemuck::pod_read_unaligned(&header);
    if raw.magic != MAGIC || raw.uuid != uuid || u64::from_le_bytes(raw.generation) != generation {
        return Ok(None);
    }
    let count = u32::from_le_bytes(raw.count) as usize;
    let size = directory_size(count) as u64 + count as u64 * PAGE_SIZE as u64;
    if raw.format_version != FORMAT_VERSION.to_le_bytes() || at + size > len {
        return Ok(None);
    }
    let mut bytes = vec![0; HEADER_SIZE + ENTRY_SIZE * count];
    file.read_at(&mut bytes, at)?;
    if XxHash3_64::oneshot(&bytes[8..]) != u64::from_le_bytes(raw.checksum) {
        return Ok(None);
    }
    let (entries, _) = bytes[HEADER_SIZE..].as_chunks::<ENTRY_SIZE>();
    Ok(Some(Batch {
        salt: u64::from_le_bytes(raw.salt),
        images: entries.iter().map(entry).collect(),
    }))
}

fn entry(bytes: &[u8; ENTRY_SIZE]) -> (PageId, u64) {
    let &[p0, p1, p2, p3, c0, c1, c2, c3, c4, c5, c6, c7] = bytes;
    let checksum = u64::from_le_bytes([c0, c1, c2, c3, c4, c5, c6, c7]);
    (PageId::new(u32::from_le_bytes([p0, p1, p2, p3])), checksum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::storage::MemoryStorage;
    use crate::ids::{Owner, PageKind, Seq};

    const UUID: [u8; 16] = [7; 16];
    const PAGE: PageId = PageId::new(9);
    const TAIL: Tail = Tail { end: 0, salt: 5 };

    fn image(seq: u64) -> Frame {
        let mut frame = Frame::ZERO;
        frame.init(PAGE, PageKind::new(16), Owner::new(1));
        frame.set_seq(Seq::new(seq));
        Checksummer::new(&UUID).seal(PAGE, &mut frame.bytes);
        frame
    }

    /// A batch of one image, and behind its directory perhaps another than the one it names.
    fn batch(generation: u64, tail: Tail, named: u64, there: u64) -> Vec<u8> {
        let mut bytes = directory(UUID, generation, tail, &[(PAGE, image(named).checksum())]);
        bytes.extend_from_slice(&image(there).bytes);
        bytes
    }

    /// The commit of the image that is found in an area, and how long the area is.
    fn found(bytes: &[u8]) -> (Option<u64>, u64) {
        let file = MemoryStorage::new();
        file.write_at(bytes, 0).unwrap();
        let area = DoubleWriteBuffer::read(&file, UUID, 4).unwrap();
        let mut frame = Frame::ZERO;
        let mut find = || area.find(&file, PAGE, Checksummer::new(&UUID), &mut frame).unwrap();
        let is_found = find();
        assert_eq!(find(), is_found, "the second time");
        (is_found.then(|| frame.seq().get()), area.tail.end)
    }

    #[test]
    fn a_directory_has_these_bytes_for_ever() {
        let images = [(PageId::new(0x0201), 0x0807_0605_0403_0201), (PageId::new(3), 4)];
        let bytes = directory([0xAA; 16], 0x0102, Tail { end: 77, salt: 0x0304 }, &images);
        assert_eq!(bytes.len(), 4096);
        assert_eq!(&bytes[8..24], b"NanoDB dwb\r\n\x1a\n\0\0");
        assert_eq!(bytes[24..40], [0xAA; 16]);
        assert_eq!(bytes[40..56], [2, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0]);
        assert_eq!(bytes[56..64], [4, 3, 0, 0, 0, 0, 0, 0]);
        let entries = [[1, 2, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8], [3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0]];
        assert_eq!(bytes[64..88], *entries.as_flattened());
        assert!(bytes[88..].iter().all(|&byte| byte == 0));
        let checksum = XxHash3_64::oneshot(&bytes[8..88]);
        assert_eq!(u64::from_le_bytes(*bytes.first_chunk().unwrap()), checksum);
    }

    #[test]
    fn the_newest_image_counts_wherever_it_stands() {
        // The directory of a later batch, before what an earlier generation left.
        let batches = [batch(4, TAIL, 8, 8), batch(4, TAIL, 9, 3)].concat();
        assert_eq!(found(&batches), (Some(8), 4 * 4096));
        let batches = [batch(4, TAIL, 8, 8), batch(4, TAIL, 9, 9)].concat();
        assert_eq!(found(&batches), (Some(9), 4 * 4096));
    }

    #[test]
    fn an_image_that_the_directory_does_not_name_does_not_count() {
        assert_eq!(found(&batch(4, TAIL, 9, 3)), (None, 2 * 4096));
    }

    #[test]
    fn a_batch_of_another_generation_or_area_ends_the_area() {
        assert_eq!(found(&batch(3, TAIL, 9, 9)), (None, 0));
        for other in [batch(3, TAIL, 9, 9), batch(4, Tail { end: 0, salt: 6 }, 9, 9)] {
            assert_eq!(found(&[batch(4, TAIL, 8, 8), other].concat()), (Some(8), 2 * 4096));
        }
    }

    #[test]
    fn a_batch_that_the_file_does_not_hold_to_its_end_does_not_count() {
        let mut bytes = [batch(4, TAIL, 8, 8), batch(4, TAIL, 9, 9)].concat();
        bytes.pop();
        assert_eq!(found(&bytes), (Some(8), 2 * 4096));
    }
}
