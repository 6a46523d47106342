//! Appending to the current log.
//!
//! Records gather in a buffer and are written with one call: by the commit itself
//! where it promises to survive a kill, else by whoever syncs next.

use std::io;
use std::sync::Arc;

use super::record::{Kind, RECORD_ALIGN, RECORD_HEADER_SIZE, Record};
use super::segment::Segment;
use super::{BLOCK_SIZE, Lsn};
use crate::error::{is_full_disk, no_room};
use crate::file::storage::{Storage, write_zeros};
use crate::ids::Seq;

/// The log grows by at least so many bytes at a time.
const GROWTH_MIN: u64 = 32 * 1024;

/// The log grows by at most so many bytes more than it needs.
const GROWTH_MAX: u64 = 8 * 1024 * 1024;

/// What a record needs besides its bytes.
const RECORD_EXTRA: u64 = 3 * BLOCK_SIZE;

/// A block as a length in memory.
const BLOCK_LEN: usize = 4096;
const _: () = assert!(BLOCK_LEN as u64 == BLOCK_SIZE);

/// The longest record: its length is stored in 32 bits.
pub(crate) const RECORD_LEN_MAX: usize = u32::MAX as usize - 2 * BLOCK_LEN;

/// How many bytes at the end of a log that is to become `len_max` bytes long are kept for commits
/// that give space back, so that these are still possible when the disk is full.
fn reserve_for(len_max: u64) -> u64 {
    (len_max / 1024).clamp(16 * 1024, 64 * 1024)
}

/// How long a file must be for a log to be begun in it, and have its reserve, on a disk that is
/// full by then.
pub(crate) fn least_len(len_max: u64) -> u64 {
    BLOCK_SIZE + RECORD_EXTRA + reserve_for(len_max)
}

/// Whether a record with so many bytes finds room in a log that has just been begun, whatever the
/// disk.
pub(crate) fn is_within_reserve(payload_len: usize, len_max: u64) -> bool {
    payload_len as u64 <= reserve_for(len_max)
}

/// Makes a file, which is `len` bytes long, so long that a log can be begun in it, and such a
/// record, too.
pub(crate) fn prepare(
    file: &dyn Storage,
    len: u64,
    len_max: u64,
    payload_len: u64,
) -> io::Result<()> {
    let least = least_len(len_max) + payload_len;
    fill(file, len, least, |_| ()).map_err(|error| match is_full_disk(&error) {
        true => no_room(&error, least.saturating_sub(len)),
        false => error,
    })
}

/// Writes zeros from `start` to `end`, made a whole block; `done` is told how far that got.
pub(crate) fn fill(
    file: &dyn Storage,
    start: u64,
    end: u64,
    mut done: impl FnMut(u64),
) -> io::Result<()> {
    write_zeros(start, end.next_multiple_of(BLOCK_SIZE), |zeros, at| {
        file.write_at(zeros, at)?;
        done(at + zeros.len() as u64);
        Ok(())
    })
}

/// The log that commits are appended to.
pub(crate) struct Log {
    pub(crate) file: Arc<dyn Storage>,
    pub(crate) segment: Segment,
    /// The place of this file's start in the history of all logs.
    base: Lsn,
    /// Where the next record goes, as an offset in the file.
    end: u64,
    /// Up to where the records have been written to the file.
    written: u64,
    /// Up to where the file has bytes that can be overwritten.
    reserved: u64,
    /// Beyond this the file grows by no more than it must.
    len_max: u64,
    /// The checksum of the last record.
    previous: u64,
    last_seq: Seq,
    /// The bytes of `written..end`.
    buffer: Vec<u8>,
}

impl Log {
    /// Begins a log in `file`, which is written over.
    pub(crate) fn begin(
        file: Arc<dyn Storage>,
        segment: Segment,
        base: Lsn,
        len_max: u64,
    ) -> io::Result<Self> {
        let mut buffer = segment.encode();
        buffer.resize(BLOCK_LEN, 0);
        Ok(Self {
            base,
            end: BLOCK_SIZE,
            written: 0,
            reserved: file.len()?,
            len_max,
            previous: segment.salt,
            last_seq: Seq::new(segment.first_seq.get().saturating_sub(1)),
            buffer,
            file,
            segment,
        })
    }

    /// The place behind the last record.
    pub(crate) fn end(&self) -> Lsn {
        Lsn(self.base.0 + self.end)
    }

    /// The place behind its header.
    pub(crate) fn begun(&self) -> Lsn {
        Lsn(self.base.0 + BLOCK_SIZE)
    }

    /// How many bytes the log holds.
    pub(crate) fn len(&self) -> u64 {
        self.end
    }

    /// Bytes that have not been written to the file.
    pub(crate) fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// Makes sure that a record with `payload_len` bytes, and the padding behind it,
    /// can be written without the file growing: a full disk shows here.
    ///
    /// Behind that there is always a reserve left, unless the disk is full and the commit
    /// `may_use_reserve`.
    pub(crate) fn reserve(&mut self, payload_len: usize, may_use_reserve: bool) -> io::Result<()> {
        if payload_len > RECORD_LEN_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        // Writing has made the file longer, and must not be undone.
        self.reserved = self.reserved.max(self.written);
        let needed = self.end + payload_len as u64 + RECORD_EXTRA;
        let wanted = needed + reserve_for(self.len_max);
        if wanted <= self.reserved {
            return Ok(());
        }
        let growth = self.reserved.clamp(GROWTH_MIN, GROWTH_MAX);
        let ahead = (self.reserved + growth).min(self.len_max);
        match self.grow(ahead.max(wanted + GROWTH_MIN)) {
            Err(error) if is_full_disk(&error) => {
                // The last piece may have been written in part.
                self.reserved = self.reserved.max(self.file.len()?);
                let least = if may_use_reserve { needed } else { wanted };
                match least.saturating_sub(self.reserved) {
                    0 => Ok(()),
                    missing => Err(no_room(&error, missing)),
                }
            }
            grown => grown,
        }
    }

    /// By how many bytes the file is too short for a record with `payload_len` bytes and the
    /// reserve behind it.
    pub(crate) fn missing(&self, payload_len: u64) -> u64 {
        let wanted = self.end + payload_len + RECORD_EXTRA + reserve_for(self.len_max);
        wanted.saturating_sub(self.reserved.max(self.written))
    }

    /// Makes room for a record with `payload_len` bytes and the reserve behind it, and for no more.
    pub(crate) fn make_room(&mut self, payload_len: u64) -> io::Result<()> {
        self.reserved = self.reserved.max(self.written);
        self.grow(self.reserved + self.missing(payload_len))
    }

    /// Makes the file so long, as far as that goes.
    fn grow(&mut self, len: u64) -> io::Result<()> {
        fill(&*self.file, self.reserved, len, |end| self.reserved = end)
    }

    /// Adds a commit to the buffer, for which room was reserved.
    pub(crate) fn append(&mut self, seq: Seq, payload: &[u8], synced: Lsn) -> Lsn {
        self.push(Kind::Commit, seq, payload.len(), synced, |bytes| {
            bytes.extend_from_slice(payload);
        });
        self.last_seq = seq;
        self.end()
    }

    fn push(
        &mut self,
        kind: Kind,
        seq: Seq,
        payload_len: usize,
        synced: Lsn,
        payload: impl FnOnce(&mut Vec<u8>),
    ) {
        let len = (RECORD_HEADER_SIZE + payload_len).next_multiple_of(RECORD_ALIGN);
        let start = self.buffer.len();
        self.buffer.resize(start + RECORD_HEADER_SIZE, 0);
        payload(&mut self.buffer);
        self.buffer.resize(start + len, 0);
        let record = Record {
            checksum: 0,
            previous: self.previous,
            // `reserve` has refused what is longer.
            len: u32::try_from(len).unwrap_or(u32::MAX),
            kind,
            seq,
            synced: synced.0.saturating_sub(self.base.0),
        };
        self.previous = record.seal(&mut self.buffer[start..], self.segment.salt, self.end);
        self.end += len as u64;
    }

    /// Fills the last block up, so that what follows does not share it.
    pub(crate) fn pad(&mut self, synced: Lsn) {
        let rest = self.end.next_multiple_of(BLOCK_SIZE) - self.end;
        if rest == 0 {
            return;
        }
        let rest = if rest < RECORD_HEADER_SIZE as u64 { rest + BLOCK_SIZE } else { rest };
        let payload_len = usize::try_from(rest).unwrap_or(0) - RECORD_HEADER_SIZE;
        self.push(Kind::Padding, self.last_seq, payload_len, synced, |bytes| {
            bytes.resize(bytes.len() + payload_len, 0);
        });
    }

    /// Hands everything to the operating system. After an error the log is not to be
    /// written to again.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.file.write_at(&self.buffer, self.written)?;
        self.written = self.end;
        self.buffer.clear();
        // One huge transaction must not cost its memory for ever.
        self.buffer.shrink_to(usize::try_from(GROWTH_MIN).unwrap_or(0));
        Ok(())
    }
}
