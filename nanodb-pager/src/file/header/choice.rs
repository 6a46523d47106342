//! Which copy of the header counts: both are read, and the newest valid one is taken.
//!
//! What may be of another program, another application or a newer library is refused as that,
//! before anything else of it is looked at.

use super::{
    COUNTER_MAX, FORMAT_VERSION, HEADER_PAGES, Header, LogState, RAW_SIZE, RawHeader, SEQ_MAX,
    STORED_PAGE_SIZE,
};
use crate::application::Application;
use crate::error::{Corruption, Error, Result};
use crate::file::page::Frame;
use crate::file::storage::{Access, Storage};
use crate::ids::{PAGE_SIZE, PageId};

impl Header {
    /// Reads the header of a file that is not empty. Writes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NotADatabase`], [`Error::OtherFormat`], [`Error::OtherApplication`],
    /// [`Error::NewerFormat`], [`Error::OlderFormat`], [`Error::NewerFeatures`],
    /// [`Error::Truncated`], [`Error::Corrupt`] or [`Error::Io`], each as its docs say.
    pub(crate) fn read(
        storage: &dyn Storage,
        application: &Application,
        access: Access,
    ) -> Result<Self> {
        let len = storage.len().map_err(|e| Error::io("asking for the file's length", e))?;
        let header = Self::read_any(storage, application, access)?;
        let expected = u64::from(header.page_count) * PAGE_SIZE as u64;
        if len < expected {
            return Err(Error::Truncated { expected, found: len });
        }
        Ok(header)
    }

    /// Reads the header of a file that may be shorter than it says.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    fn read_any(storage: &dyn Storage, application: &Application, access: Access) -> Result<Self> {
        let len = storage.len().map_err(|e| Error::io("asking for the file's length", e))?;
        let copies = [read_copy(storage, 0, len)?, read_copy(storage, 1, len)?];
        Self::of_copies(&copies, application, access)
    }

    /// As [`read_any`](Self::read_any), but a copy that the device can't read is one that is not
    /// there.
    pub(crate) fn read_readable(storage: &dyn Storage, application: &Application) -> Result<Self> {
        let len = storage.len().map_err(|e| Error::io("asking for the file's length", e))?;
        let copy = |copy| read_copy(storage, copy, len).unwrap_or(Frame::ZERO);
        Self::of_copies(&[copy(0), copy(1)], application, Access::Read)
    }

    fn of_copies(copies: &[Frame; 2], application: &Application, access: Access) -> Result<Self> {
        let [first, second] = copies;
        let decoded = [Self::decode(0, first), Self::decode(1, second)];
        // A checksum may begin like another format's files.
        if decoded.iter().all(|copy| matches!(copy, Copy::Foreign)) {
            application.check_format(&first.bytes)?;
        }
        let header = choose(decoded, application, access)?;
        check_fields(&header)?;
        Ok(header)
    }

    /// What may be the file's uuid where both copies are damaged; zeros for one that can't be read.
    pub(crate) fn possible_uuids(storage: &dyn Storage) -> Result<[[u8; 16]; 2]> {
        let len = storage.len().map_err(|e| Error::io("asking for the file's length", e))?;
        let uuid = |copy| {
            let frame = read_copy(storage, copy, len).unwrap_or(Frame::ZERO);
            let raw: RawHeader = bytemuck::pod_read_unaligned(&frame.body()[..RAW_SIZE]);
            raw.uuid
        };
        Ok([uuid(0), uuid(1)])
    }

    /// The headers that must be written, each synced before the next, so that what this one says,
    /// the one in force, is on stable storage for certain, and in both copies: it may have been
    /// read from the operating system's memory while a sync of it has failed.
    ///
    /// Never is a copy written over that may be the only whole one on the disk. Only a checkpoint
    /// gives both copies the same revision, and it has synced the first before it writes the
    /// second; so what is written here are revisions of their own, or one that is there already.
    pub(crate) fn to_resync(&self, storage: &dyn Storage) -> Result<Vec<Self>> {
        let len = storage.len().map_err(|e| Error::io("asking for the file's length", e))?;
        let first = self.first_copy();
        let age = |copy| {
            Ok::<_, Error>(match Self::decode(copy, &read_copy(storage, copy, len)?) {
                Copy::Valid { header, .. } => Some((header.generation, header.revision)),
                Copy::Foreign | Copy::Damaged { .. } => None,
            })
        };
        let in_force = Some((self.generation, self.revision));
        let revision = |more| Self { revision: self.revision + more, ..self.clone() };
        Ok(match (age(first)?, age(HEADER_PAGES - 1 - first)?) {
            (first_is, second_is) if first_is == in_force && second_is == in_force => {
                vec![revision(1)]
            }
            // The revision before, of the same checkpoint: it was synced before this one was
            // written, and refers to the same.
            (first_is, Some((generation, _)))
                if first_is == in_force && generation == self.generation =>
            {
                vec![revision(0), revision(1)]
            }
            // What the older one refers to may be gone; or else this one may not be saved.
            (first_is, _) if first_is == in_force => vec![revision(1), revision(2)],
            // The second was written, and so the first synced before; it was damaged since.
            _ => vec![revision(2), revision(3)],
        })
    }

    /// Reads both copies and returns the numbers of those that are not valid.
    pub(crate) fn damaged_copies(storage: &dyn Storage) -> Result<Vec<PageId>> {
        let len = storage.len().map_err(|e| Error::io("asking for the file's length", e))?;
        let mut damaged = Vec::new();
        for copy in 0..HEADER_PAGES {
            let frame = read_copy(storage, copy, len)?;
            if !matches!(Self::decode(copy, &frame), Copy::Valid { .. }) {
                damaged.push(PageId::new(copy));
            }
        }
        Ok(damaged)
    }
}

/// The bits of a header's features that this library does not know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Features {
    pub(super) to_open: u64,
    pub(super) to_write: u64,
}

impl Features {
    fn check(self, access: Access) -> Result<()> {
        if self.to_open != 0 {
            return Err(Error::NewerFeatures { bits: self.to_open, to_write: false });
        }
        if self.to_write != 0 && access == Access::Write {
            return Err(Error::NewerFeatures { bits: self.to_write, to_write: true });
        }
        Ok(())
    }
}

/// What a header page turned out to be.
pub(super) enum Copy {
    /// No magic: perhaps another program's file.
    Foreign,
    /// The magic is there, the checksum is wrong.
    Damaged { version: u32 },
    /// The checksum is right.
    Valid { version: u32, page_size: u32, header: Header, log_state: u32, features: Features },
}

/// Reads a header page; what lies behind the end of the file reads as zero.
fn read_copy(storage: &dyn Storage, copy: u32, len: u64) -> Result<Frame> {
    let page = PageId::new(copy);
    let mut frame = Frame::ZERO;
    let there = len.saturating_sub(page.offset()).min(PAGE_SIZE as u64);
    let there = usize::try_from(there).unwrap_or(PAGE_SIZE);
    if there > 0 {
        storage
            .read_at(&mut frame.bytes[..there], page.offset())
            .map_err(|e| Error::io(format!("reading the header on {page}"), e))?;
    }
    Ok(frame)
}

/// Returns the better copy. What may be of a newer library or another application is refused as
/// that before anything else of it is looked at, since it may mean something else there.
fn choose(copies: [Copy; 2], application: &Application, access: Access) -> Result<Header> {
    let newer = |version: u32| version > FORMAT_VERSION;
    let mut best: Option<Header> = None;
    let mut damaged = false;
    let mut newer_damaged = None;
    for copy in copies {
        match copy {
            Copy::Foreign => {}
            Copy::Damaged { version } => {
                damaged = true;
                // A newer format may checksum otherwise, so "damaged" is not known.
                newer_damaged = newer_damaged.or(newer(version).then_some(version));
            }
            Copy::Valid { version, .. } if newer(version) => {
                return Err(Error::NewerFormat { found: version, supported: FORMAT_VERSION });
            }
            Copy::Valid { version, .. } if version < FORMAT_VERSION => {
                return Err(Error::OlderFormat { found: version, supported: FORMAT_VERSION });
            }
            Copy::Valid { header, features, page_size, log_state, .. } => {
                features.check(access)?;
                application.check_id(header.application)?;
                let impossible = |field, value| Err(Corruption::HeaderField { field, value });
                if page_size != STORED_PAGE_SIZE {
                    impossible("page size", u64::from(page_size))?;
                }
                if LogState::decode(log_state).is_none() {
                    impossible("log state", u64::from(log_state))?;
                }
                let age = |header: &Header| (header.generation, header.revision);
                if best.as_ref().is_none_or(|best| age(&header) > age(best)) {
                    best = Some(header);
                }
            }
        }
    }
    match (best, newer_damaged, damaged) {
        (Some(header), _, _) => Ok(header),
        (None, Some(found), _) => Err(Error::NewerFormat { found, supported: FORMAT_VERSION }),
        (None, None, true) => Err(Corruption::Header.into()),
        (None, None, false) => Err(Error::NotADatabase),
    }
}

/// A header with the right checksum was written by us; what it says is checked
/// all the same, since everything behind it trusts these numbers.
fn check_fields(header: &Header) -> Result<(), Corruption> {
    let impossible = |field, value| Err(Corruption::HeaderField { field, value });
    if header.page_count < HEADER_PAGES {
        return impossible("page count", u64::from(header.page_count));
    }
    // So that counting on from either never passes the end of its range.
    if header.generation == 0 || header.generation > COUNTER_MAX {
        return impossible("generation", header.generation);
    }
    if header.revision > COUNTER_MAX {
        return impossible("revision", header.revision);
    }
    if header.log_generation > COUNTER_MAX {
        return impossible("log generation", header.log_generation);
    }
    if header.seq.get() > SEQ_MAX {
        return impossible("commit number", header.seq.get());
    }
    for (field, stream) in [("root", header.root), ("free map", header.free_map)] {
        if stream.page >= header.page_count || (stream.page == 0) != (stream.len == 0) {
            return impossible(field, u64::from(stream.page));
        }
        if stream.len > u64::from(header.page_count) * PAGE_SIZE as u64 {
            return impossible(field, stream.len);
        }
    }
    Ok(())
}
