//! Reading a log back after a crash.

use std::io;

use super::BLOCK_SIZE;
use super::record::{Kind, RECORD_HEADER_SIZE, Record};
use super::segment::{SEGMENT_SIZE, Segment};
use crate::file::storage::Storage;
use crate::ids::Seq;

/// Why reading a log ended early.
#[derive(Debug)]
pub(crate) enum ScanError {
    Io(io::Error),
    /// A record that was on stable storage is damaged.
    Damaged {
        offset: u64,
    },
    /// What the caller made of a record.
    Refused {
        offset: u64,
    },
}

impl From<io::Error> for ScanError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// What a log was found to hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogScan {
    pub(crate) end: u64,
    /// Up to where its records say that it was on stable storage.
    pub(crate) synced: u64,
}

/// The segment header of a log file; nothing if it has none.
pub(crate) fn read_segment(file: &dyn Storage) -> io::Result<Option<Segment>> {
    let mut bytes = [0; SEGMENT_SIZE];
    if file.len()? < SEGMENT_SIZE as u64 {
        return Ok(None);
    }
    file.read_at(&mut bytes, 0)?;
    Ok(Segment::decode(&bytes))
}

/// Calls `each` with the commits of the log in order: seq, payload, and the payload's
/// offset in the file. Ends at the first record that is not valid.
pub(crate) fn scan(
    file: &dyn Storage,
    segment: &Segment,
    mut each: impl FnMut(Seq, &[u8], u64) -> Option<()>,
) -> Result<LogScan, ScanError> {
    let mut reader = Reader::new(file)?;
    let mut offset = BLOCK_SIZE;
    let mut previous = segment.salt;
    let mut next = segment.first_seq;
    let mut synced = 0;
    while let Some((record, bytes)) = reader.record(segment.salt, offset)? {
        let expected = match record.kind {
            Kind::Commit => next,
            Kind::Padding => Seq::new(next.get() - 1),
        };
        if record.previous != previous || record.seq != expected {
            break;
        }
        if record.kind == Kind::Commit {
            let payload = &bytes[RECORD_HEADER_SIZE..];
            let at = offset + RECORD_HEADER_SIZE as u64;
            each(record.seq, payload, at).ok_or(ScanError::Refused { offset })?;
            next = next.next();
        }
        previous = record.checksum;
        synced = synced.max(record.synced);
        offset += u64::from(record.len);
    }
    if vouched_for(&mut reader, segment.salt, offset)? {
        return Err(ScanError::Damaged { offset });
    }
    Ok(LogScan { end: offset, synced })
}

/// How many times the log's length is compared with checksums at most, before only short records
/// are looked for.
const HASHED_FACTOR: u64 = 4;

/// Whether a record behind `end` says that the log was on stable storage beyond it:
/// then what stands at `end` was acknowledged, and is damaged.
///
/// Every group that was synced begins at a block of its own, so a search for one looks at the
/// blocks' first bytes. From there on record follows record; any of them may be the first
/// that was written after the sync.
///
/// What looks like a long record may be part of a document that was written to look so, block
/// after block. So checksums are computed of a few times the log's length in all, and after that
/// only of records up to a block long. Without such a document it never comes to that: records
/// don't overlap, nor do those that an earlier log left in the file.
fn vouched_for(reader: &mut Reader<'_>, salt: u64, end: u64) -> io::Result<bool> {
    let mut offset = (end + 1).next_multiple_of(BLOCK_SIZE);
    let long_until = reader.hashed + HASHED_FACTOR * reader.len;
    while offset < reader.len {
        let len_max = if reader.hashed < long_until { u64::MAX } else { BLOCK_SIZE };
        match reader.record_up_to(len_max, salt, offset)? {
            Some((record, _)) if record.synced > end => return Ok(true),
            Some((record, _)) => offset += u64::from(record.len),
            None => offset = (offset + 1).next_multiple_of(BLOCK_SIZE),
        }
    }
    Ok(false)
}

/// Whether a record of the log says that part of the log was on stable storage.
pub(crate) fn was_synced(file: &dyn Storage, segment: &Segment) -> io::Result<bool> {
    vouched_for(&mut Reader::new(file)?, segment.salt, 0)
}

/// Whether a log whose header can't be read begins with the commit `next`, and a record
/// in it says that it was on stable storage.
///
/// What a log of an earlier generation left ends before that commit.
pub(crate) fn holds_acknowledged(file: &dyn Storage, next: Seq) -> io::Result<bool> {
    let mut reader = Reader::new(file)?;
    let Some(header) =
        reader.bytes(BLOCK_SIZE, RECORD_HEADER_SIZE)?.and_then(|b| b.first_chunk().copied())
    else {
        return Ok(false);
    };
    // The first record repeats the salt.
    let Some(salt) = Record::decode(&header, BLOCK_SIZE).map(|record| record.previous) else {
        return Ok(false);
    };
    match reader.record(salt, BLOCK_SIZE)? {
        Some((record, _)) if record.seq == next => vouched_for(&mut reader, salt, BLOCK_SIZE),
        _ => Ok(false),
    }
}

/// How much is read at once: a disk gives such pieces twice as fast as small ones.
const WINDOW_SIZE: usize = 4 * 1024 * 1024;

/// Reads records through a window on the file.
struct Reader<'a> {
    file: &'a dyn Storage,
    len: u64,
    window: Vec<u8>,
    window_at: u64,
    /// How many bytes have been compared with checksums.
    hashed: u64,
}

impl<'a> Reader<'a> {
    fn new(file: &'a dyn Storage) -> io::Result<Self> {
        Ok(Self { file, len: file.len()?, window: Vec::new(), window_at: 0, hashed: 0 })
    }

    /// The record at `offset`, if a valid one begins there.
    fn record(&mut self, salt: u64, offset: u64) -> io::Result<Option<(Record, &[u8])>> {
        self.record_up_to(u64::MAX, salt, offset)
    }

    /// The same, but for longer records.
    fn record_up_to(
        &mut self,
        len_max: u64,
        salt: u64,
        offset: u64,
    ) -> io::Result<Option<(Record, &[u8])>> {
        let Some(header) = self.bytes(offset, RECORD_HEADER_SIZE)?.and_then(|b| b.first_chunk())
        else {
            return Ok(None);
        };
        let Some(record) = Record::decode(header, offset) else { return Ok(None) };
        if u64::from(record.len) > len_max {
            return Ok(None);
        }
        if self.len - offset >= u64::from(record.len) {
            self.hashed += u64::from(record.len);
        }
        // A length from garbage asks for no more memory than the file has bytes.
        let Some(bytes) = self.bytes(offset, record.len as usize)? else { return Ok(None) };
        Ok(record.is_valid(bytes, salt, offset).then_some((record, bytes)))
    }

    fn bytes(&mut self, offset: u64, len: usize) -> io::Result<Option<&[u8]>> {
        if offset.checked_add(len as u64).is_none_or(|end| end > self.len) {
            return Ok(None);
        }
        let inside = offset >= self.window_at
            && offset + len as u64 <= self.window_at + self.window.len() as u64;
        if !inside {
            let left = usize::try_from(self.len - offset).unwrap_or(usize::MAX);
            self.window.resize(len.max(WINDOW_SIZE.min(left)), 0);
            self.window_at = offset;
            self.file.read_at(&mut self.window, offset)?;
        }
        let start = usize::try_from(offset - self.window_at).unwrap_or(usize::MAX);
        Ok(self.window.get(start..start + len))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::file::storage::MemoryStorage;
    use crate::wal::Lsn;
    use crate::wal::writer::Log;

    #[test]
    fn records_across_the_ends_of_pieces_are_read() {
        let file = Arc::new(MemoryStorage::new());
        let first_seq = Seq::new(1);
        let segment =
            Segment { uuid: [1; 16], generation: 1, salt: 2, previous_salt: 0, first_seq };
        let storage = Arc::clone(&file) as Arc<dyn Storage>;
        let mut log = Log::begin(storage, segment, Lsn(0), 16 << 20).unwrap();
        let payload = |seq: u64| vec![seq.to_le_bytes()[0]; 700 + (seq % 977) as usize];
        let mut bytes = 0;
        let mut written = 0;
        while bytes < 2 * WINDOW_SIZE + 100_000 {
            written += 1;
            log.append(Seq::new(written), &payload(written), Lsn(0));
            bytes += payload(written).len();
        }
        log.write().unwrap();
        let mut read = 0;
        let scanned = scan(&*file, &segment, |seq, bytes, _| {
            read += 1;
            (seq.get() == read && bytes.starts_with(&payload(read))).then_some(())
        });
        assert!(scanned.is_ok(), "{scanned:?}");
        assert_eq!(read, written);
    }

    #[test]
    fn damage_is_told_by_any_record_of_a_later_group_that_says_how_far_the_log_was_synced() {
        let file = Arc::new(MemoryStorage::new());
        let first_seq = Seq::new(1);
        let segment =
            Segment { uuid: [1; 16], generation: 1, salt: 2, previous_salt: 0, first_seq };
        let mut log =
            Log::begin(Arc::clone(&file) as Arc<dyn Storage>, segment, Lsn(0), 1 << 20).unwrap();
        log.append(Seq::new(1), b"first", Lsn(0));
        log.pad(Lsn(0));
        log.write().unwrap();
        let synced = log.end();
        // The first of the second group was added while the first group's sync went on.
        log.append(Seq::new(2), b"second", Lsn(0));
        log.append(Seq::new(3), b"third", synced);
        log.pad(synced);
        log.write().unwrap();
        let mut commits = Vec::new();
        let scanned = scan(&*file, &segment, |seq, _, _| {
            commits.push(seq.get());
            Some(())
        });
        let scanned = scanned.unwrap();
        assert_eq!((commits, scanned.synced), (vec![1, 2, 3], synced.0));

        let at = BLOCK_SIZE + RECORD_HEADER_SIZE as u64;
        file.write_at(b"F", at).unwrap();
        let damaged = scan(&*file, &segment, |_, _, _| Some(()));
        assert!(matches!(damaged, Err(ScanError::Damaged { offset: BLOCK_SIZE })), "{damaged:?}");
    }

    #[test]
    fn a_record_that_follows_another_than_the_one_before_it_ends_the_log() {
        let file = Arc::new(MemoryStorage::new());
        let first_seq = Seq::new(1);
        let segment =
            Segment { uuid: [1; 16], generation: 1, salt: 2, previous_salt: 0, first_seq };
        let write = |payloads: &[&[u8]]| {
            let file = Arc::clone(&file) as Arc<dyn Storage>;
            let mut log = Log::begin(file, segment, Lsn(0), 1 << 20).unwrap();
            for (seq, payload) in (1..).zip(payloads) {
                log.append(Seq::new(seq), payload, Lsn(0));
            }
            log.write().unwrap();
        };
        write(&[b"first", b"second"]);
        // As long as the first was, so that all but the chain fits.
        write(&[b"other"]);
        let mut payloads = Vec::new();
        let scanned = scan(&*file, &segment, |_, payload, _| {
            payloads.push(payload[..5].to_vec());
            Some(())
        });
        assert!(scanned.is_ok(), "{scanned:?}");
        assert_eq!(payloads, [b"other"]);
    }

    #[test]
    fn what_looks_like_long_records_is_not_read_once_for_each() {
        const LEN: u64 = 4 << 20;
        let file = Arc::new(MemoryStorage::new());
        let first_seq = Seq::new(1);
        let segment =
            Segment { uuid: [1; 16], generation: 1, salt: 2, previous_salt: 0, first_seq };
        let mut log =
            Log::begin(Arc::clone(&file) as Arc<dyn Storage>, segment, Lsn(0), 1 << 20).unwrap();
        log.append(Seq::new(1), b"first", Lsn(0));
        log.pad(Lsn(0));
        log.write().unwrap();
        let end = log.end().0;
        // Every block begins with what might be a record to the file's end.
        file.set_len(LEN).unwrap();
        let mut offset = end;
        while offset < LEN {
            let mut header = [0; RECORD_HEADER_SIZE];
            let len = u32::try_from(LEN - offset).unwrap();
            header[16..20].copy_from_slice(&len.to_le_bytes());
            header[20] = 1;
            file.write_at(&header, offset).unwrap();
            offset += BLOCK_SIZE;
        }
        let mut reader = Reader::new(&*file).unwrap();
        assert!(!vouched_for(&mut reader, segment.salt, end).unwrap());
        assert!((LEN..8 * LEN).contains(&reader.hashed), "{}", reader.hashed);

        // A record of a later group that was written is found all the same.
        let mut bytes = [0; RECORD_HEADER_SIZE];
        let (previous, seq, synced, at) = (0, Seq::new(9), end + BLOCK_SIZE, LEN - BLOCK_SIZE);
        let len = u32::try_from(RECORD_HEADER_SIZE).unwrap();
        let record = Record { checksum: 0, previous, len, kind: Kind::Commit, seq, synced };
        record.seal(&mut bytes, segment.salt, at);
        file.write_at(&bytes, at).unwrap();
        let mut reader = Reader::new(&*file).unwrap();
        assert!(vouched_for(&mut reader, segment.salt, end).unwrap());
    }
}
