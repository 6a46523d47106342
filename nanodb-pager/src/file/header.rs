//! The file header: what opening a file begins with.
//!
//! Pages 0 and 1 each hold a copy of it, behind the ordinary page header (kind 1,
//! owner 0). A checkpoint writes one copy, syncs, then writes the other, so a torn
//! write or a damaged block costs at most one of them. Opening takes the valid
//! copy with the higher generation; of two of the same, which differ in `log_state` if they
//! differ, the one with the higher revision. Each revision is written first to the page that has
//! its last bit for a number: never to the one that is known to be on stable storage.
//!
//! ```text
//! offset  size  field             meaning
//! ------  ----  ----------------  ---------------------------------------------
//!     32    16  magic             "NanoDB file\r\n\x1a\n\0"
//!     48     4  format_version    3
//!     52     4  page_size         4096
//!     56    16  uuid              of this database; seeds the page checksums
//!     72     8  hash_seed         for hashes that the layer above stores
//!     80     8  generation        how many checkpoints the file has seen
//!     88     8  seq               the newest commit that the pages hold
//!     96     4  page_count        pages in use or free, both headers included
//!    100     4  root_page         first page of the root stream, 0 for none
//!    104     8  root_len          bytes of the root
//!    112     8  free_map_len      bytes of the free map
//!    120     4  free_map_page     first page of the free map stream, 0 for none
//!    124     4  log_state         0 closed, 1 open, 2 a log is begun; see `beside`
//!    128     8  log_generation    the first log that holds later commits
//!    136     8  revision          how often the header was written
//!    144     8  application       whose pages these are; zeros: it has no name
//!    152     8  features          bits; who does not know one that is set must not open the file
//!    160     8  write_features    bits; who does not know one that is set must not write it
//! ```
//!
//! The offsets count from the start of the page. The rest of the page is zero. Header pages are
//! checksummed with the seed 0, since the file's own seed is not known before they are read.

mod choice;

use bytemuck::{Pod, Zeroable};

use self::choice::{Copy, Features};
use crate::file::page::{Checksummer, Frame};
use crate::ids::{Owner, PAGE_SIZE, PageId, PageKind, Seq};

/// What tells a NanoDB file from any other. The line ends catch transfers that
/// "translate" text, as in PNG.
const MAGIC: [u8; 16] = *b"NanoDB file\r\n\x1a\n\0";

/// The newest format that this library reads, and the one it writes.
pub(crate) const FORMAT_VERSION: u32 = 3;

/// The bits of `features` that this library knows: none is defined yet.
const FEATURES: u64 = 0;

/// The bits of `write_features` that this library knows. Bit 0 is spoken for, by readers beside a
/// writer; a library that does not take them into account must not write.
const WRITE_FEATURES: u64 = 0;

/// The page size in the width that the header states it in.
const STORED_PAGE_SIZE: u32 = 4096;
const _: () = assert!(STORED_PAGE_SIZE as usize == PAGE_SIZE);

/// How many pages the copies take up at the start of the file.
pub(crate) const HEADER_PAGES: u32 = 2;

/// No file lives to count this far.
const COUNTER_MAX: u64 = u64::MAX / 2;

/// Nor has it so many commits. The layer above keeps their numbers in 47 bits: those that follow
/// must fit, too.
const SEQ_MAX: u64 = 1 << 46;

/// A run of bytes kept in stream pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct StreamPlace {
    /// The first page; 0 when the stream is empty.
    pub(crate) page: u32,
    pub(crate) len: u64,
}

/// What the header says of the files beside the database.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum LogState {
    /// None is needed, and what has such a name may be somebody else's.
    #[default]
    Closed,
    /// They are the database's own; none is needed.
    Open,
    /// They are its own, and the log of the header's `log_generation` has been begun.
    Logged,
}

impl LogState {
    pub(crate) fn encode(self) -> u32 {
        match self {
            Self::Closed => 0,
            Self::Open => 1,
            Self::Logged => 2,
        }
    }

    pub(crate) fn decode(number: u32) -> Option<Self> {
        [Self::Closed, Self::Open, Self::Logged].into_iter().find(|state| state.encode() == number)
    }
}

/// The header's contents.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    pub(crate) application: [u8; 8],
    pub(crate) uuid: [u8; 16],
    pub(crate) hash_seed: u64,
    pub(crate) generation: u64,
    pub(crate) seq: Seq,
    pub(crate) page_count: u32,
    pub(crate) root: StreamPlace,
    pub(crate) free_map: StreamPlace,
    pub(crate) log_state: LogState,
    pub(crate) log_generation: u64,
    pub(crate) revision: u64,
}

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct RawHeader {
    magic: [u8; 16],
    format_version: [u8; 4],
    page_size: [u8; 4],
    uuid: [u8; 16],
    hash_seed: [u8; 8],
    generation: [u8; 8],
    seq: [u8; 8],
    page_count: [u8; 4],
    root_page: [u8; 4],
    root_len: [u8; 8],
    free_map_len: [u8; 8],
    free_map_page: [u8; 4],
    log_state: [u8; 4],
    log_generation: [u8; 8],
    revision: [u8; 8],
    application: [u8; 8],
    features: [u8; 8],
    write_features: [u8; 8],
}

const RAW_SIZE: usize = size_of::<RawHeader>();

// The table above promises these numbers to every file already written.
const _: () = assert!(RAW_SIZE == 136 && align_of::<RawHeader>() == 1);

impl Header {
    /// The header of a new, empty file.
    pub(crate) fn new(application: [u8; 8], uuid: [u8; 16], hash_seed: u64) -> Self {
        Self {
            application,
            uuid,
            hash_seed,
            generation: 1,
            seq: Seq::ZERO,
            page_count: HEADER_PAGES,
            root: StreamPlace::default(),
            free_map: StreamPlace::default(),
            log_state: LogState::Closed,
            log_generation: 1,
            revision: 1,
        }
    }

    /// The copy that is written first. Until that is on stable storage, the other one
    /// still says what the revision before did.
    pub(crate) fn first_copy(&self) -> u32 {
        u32::from(self.revision % 2 == 1)
    }

    /// The copy that belongs on page `copy` (0 or 1), sealed.
    pub(crate) fn encode(&self, copy: u32) -> Frame {
        let raw = RawHeader {
            magic: MAGIC,
            format_version: FORMAT_VERSION.to_le_bytes(),
            page_size: STORED_PAGE_SIZE.to_le_bytes(),
            uuid: self.uuid,
            hash_seed: self.hash_seed.to_le_bytes(),
            generation: self.generation.to_le_bytes(),
            seq: self.seq.get().to_le_bytes(),
            page_count: self.page_count.to_le_bytes(),
            root_page: self.root.page.to_le_bytes(),
            root_len: self.root.len.to_le_bytes(),
            free_map_len: self.free_map.len.to_le_bytes(),
            free_map_page: self.free_map.page.to_le_bytes(),
            log_state: self.log_state.encode().to_le_bytes(),
            log_generation: self.log_generation.to_le_bytes(),
            revision: self.revision.to_le_bytes(),
            application: self.application,
            features: FEATURES.to_le_bytes(),
            write_features: WRITE_FEATURES.to_le_bytes(),
        };
        let page = PageId::new(copy);
        let mut frame = Frame::ZERO;
        frame.init(page, PageKind::HEADER, Owner::PAGER);
        frame.set_seq(self.seq);
        frame.body_mut()[..RAW_SIZE].copy_from_slice(bytemuck::bytes_of(&raw));
        Checksummer::HEADER.seal(page, &mut frame.bytes);
        frame
    }

    /// Reads one copy.
    fn decode(copy: u32, frame: &Frame) -> Copy {
        let raw: RawHeader = bytemuck::pod_read_unaligned(&frame.body()[..RAW_SIZE]);
        if raw.magic != MAGIC {
            return Copy::Foreign;
        }
        let version = u32::from_le_bytes(raw.format_version);
        if Checksummer::HEADER.verify(PageId::new(copy), frame).is_err() {
            return Copy::Damaged { version };
        }
        let log_state = u32::from_le_bytes(raw.log_state);
        Copy::Valid {
            version,
            page_size: u32::from_le_bytes(raw.page_size),
            features: Features {
                to_open: u64::from_le_bytes(raw.features) & !FEATURES,
                to_write: u64::from_le_bytes(raw.write_features) & !WRITE_FEATURES,
            },
            header: Self {
                application: raw.application,
                uuid: raw.uuid,
                hash_seed: u64::from_le_bytes(raw.hash_seed),
                generation: u64::from_le_bytes(raw.generation),
                seq: Seq::new(u64::from_le_bytes(raw.seq)),
                page_count: u32::from_le_bytes(raw.page_count),
                root: StreamPlace {
                    page: u32::from_le_bytes(raw.root_page),
                    len: u64::from_le_bytes(raw.root_len),
                },
                free_map: StreamPlace {
                    page: u32::from_le_bytes(raw.free_map_page),
                    len: u64::from_le_bytes(raw.free_map_len),
                },
                log_state: LogState::decode(log_state).unwrap_or_default(),
                log_generation: u64::from_le_bytes(raw.log_generation),
                revision: u64::from_le_bytes(raw.revision),
            },
            log_state,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::{Application, OtherFormat};
    use crate::error::{Corruption, Error, Result};
    use crate::file::storage::{Access, MemoryStorage, Storage};

    const APPLICATION: Application = Application {
        id: *b"counters",
        other_formats: &[OtherFormat { magic: b"AAMN", name: "a file of the program Amnesia" }],
    };

    fn read(storage: &MemoryStorage) -> Result<Header> {
        Header::read(storage, &APPLICATION, Access::Write)
    }

    fn file_with(header: &Header) -> MemoryStorage {
        let storage = MemoryStorage::new();
        for copy in 0..HEADER_PAGES {
            let frame = header.encode(copy);
            storage.write_at(&frame.bytes, PageId::new(copy).offset()).unwrap();
        }
        storage
    }

    #[test]
    fn the_header_has_these_bytes_for_ever() {
        let header = Header {
            application: *b"counters",
            uuid: [0xAA; 16],
            hash_seed: 1,
            generation: 2,
            seq: Seq::new(3),
            page_count: 4,
            root: StreamPlace { page: 5, len: 6 },
            free_map: StreamPlace { page: 7, len: 8 },
            log_state: LogState::Logged,
            log_generation: 9,
            revision: 10,
        };
        let frame = header.encode(1);
        assert_eq!(&frame.bytes[32..48], b"NanoDB file\r\n\x1a\n\0");
        assert_eq!(frame.bytes[48..56], [3, 0, 0, 0, 0, 16, 0, 0]);
        assert_eq!(frame.bytes[56..72], [0xAA; 16]);
        let numbers: Vec<u8> =
            [72, 80, 88, 96, 100, 104, 112, 120, 124, 128, 136].map(|at| frame.bytes[at]).into();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 8, 7, 2, 9, 10]);
        assert_eq!(&frame.bytes[144..152], b"counters");
        assert!(frame.bytes[152..].iter().all(|&byte| byte == 0));
    }

    #[test]
    fn the_valid_copy_with_the_higher_generation_counts() {
        let old = Header::new(*b"counters", [1; 16], 7);
        let new = Header { generation: 2, ..old.clone() };
        let storage = file_with(&old);
        storage.write_at(&new.encode(1).bytes, PAGE_SIZE as u64).unwrap();
        assert_eq!(read(&storage).unwrap(), new);
        storage.write_at(&[0xFF], PAGE_SIZE as u64 + 90).unwrap();
        assert_eq!(read(&storage).unwrap(), old);
        assert_eq!(Header::damaged_copies(&storage).unwrap(), [PageId::new(1)]);
        storage.write_at(&[0xFF], 90).unwrap();
        assert!(matches!(read(&storage), Err(Error::Corrupt(Corruption::Header))));
    }

    #[test]
    fn of_two_copies_of_a_generation_the_later_revision_counts() {
        for revision in [1, 2] {
            let old = Header { revision, ..Header::new(*b"counters", [1; 16], 7) };
            let new = Header { log_state: LogState::Logged, revision: revision + 1, ..old.clone() };
            let storage = file_with(&old);
            let page = PageId::new(new.first_copy());
            assert_ne!(new.first_copy(), old.first_copy());
            storage.write_at(&new.encode(page.get()).bytes, page.offset()).unwrap();
            assert_eq!(read(&storage).unwrap(), new);
            // The one that is not known to be saved is written again first.
            let written = new.to_resync(&storage).unwrap();
            let copies: Vec<u32> = written.iter().map(Header::first_copy).collect();
            assert_eq!(copies, [new.first_copy(), old.first_copy()]);
            let revisions: Vec<u64> = written.iter().map(|header| header.revision).collect();
            assert_eq!(revisions, [revision + 1, revision + 2]);
        }
    }

    #[test]
    fn an_older_format_and_a_log_state_that_means_nothing_are_refused_by_name() {
        let header = Header::new(*b"counters", [1; 16], 7);
        let with = |offset: usize, byte: u8| {
            let storage = MemoryStorage::new();
            for copy in 0..HEADER_PAGES {
                let mut frame = header.encode(copy);
                frame.bytes[offset] = byte;
                Checksummer::HEADER.seal(PageId::new(copy), &mut frame.bytes);
                storage.write_at(&frame.bytes, PageId::new(copy).offset()).unwrap();
            }
            read(&storage).unwrap_err()
        };
        let error = with(48, 2);
        assert!(matches!(error, Error::OlderFormat { found: 2, supported: FORMAT_VERSION }));
        let error = with(124, 3);
        assert!(error.to_string().contains("log state: 3"), "{error}");
    }

    #[test]
    fn a_log_generation_that_nobody_lives_to_count_to_is_refused() {
        let storage = file_with(&Header {
            log_generation: u64::MAX,
            ..Header::new(*b"counters", [1; 16], 7)
        });
        let error = read(&storage).unwrap_err();
        assert!(matches!(error, Error::Corrupt(Corruption::HeaderField { .. })), "{error:?}");
    }

    #[test]
    fn a_commit_number_that_the_layer_above_has_no_room_for_is_refused() {
        let read = |seq| {
            read(&file_with(&Header {
                seq: Seq::new(seq),
                ..Header::new(*b"counters", [1; 16], 7)
            }))
        };
        assert!(read(SEQ_MAX).is_ok());
        let error = read(SEQ_MAX + 1).unwrap_err();
        assert!(matches!(error, Error::Corrupt(Corruption::HeaderField { .. })), "{error:?}");
    }

    #[test]
    fn other_files_are_refused_by_name() {
        let storage = MemoryStorage::new();
        storage.write_at(b"{\"json\": true}", 0).unwrap();
        assert!(matches!(read(&storage), Err(Error::NotADatabase)));
        let storage = MemoryStorage::new();
        storage.write_at(b"AAMN\x01\0\0\x10\0\0", 0).unwrap();
        assert!(matches!(
            read(&storage),
            Err(Error::OtherFormat { name: "a file of the program Amnesia" })
        ));
    }

    #[test]
    fn a_newer_format_is_refused_even_if_its_checksum_is_another() {
        let storage = file_with(&Header::new(*b"counters", [1; 16], 7));
        for copy in 0..2 {
            storage.write_at(&[9], copy * PAGE_SIZE as u64 + 48).unwrap();
        }
        let error = read(&storage).unwrap_err();
        assert!(matches!(error, Error::NewerFormat { found: 9, supported: FORMAT_VERSION }));
    }

    #[test]
    fn a_file_shorter_than_its_header_says_is_truncated() {
        let storage = file_with(&Header { page_count: 3, ..Header::new(*b"counters", [1; 16], 7) });
        let error = read(&storage).unwrap_err();
        assert!(matches!(error, Error::Truncated { expected: 12288, found: 8192 }));
    }
}
