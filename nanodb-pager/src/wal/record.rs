//! One record of the log: a commit, or padding.
//!
//! ```text
//! offset  size  field     meaning
//! ------  ----  --------  -----------------------------------------------------
//!      0     8  checksum  XXH3-64 of bytes 8..len, seeded with the log's salt XOR
//!                         the record's offset in the file
//!      8     8  previous  the checksum of the record before it, the salt for the first
//!     16     4  len       bytes of the record with this header, a multiple of 8
//!     20     1  kind      1 commit, 2 padding
//!     21     3  reserved  zero
//!     24     8  seq       the commit; for padding that of the last commit before it
//!     32     8  synced    up to which offset this log, and the unlogged pages that
//!                         records below name, were on stable storage when the record
//!                         was written; not beyond the record's own offset
//!     40     .  payload   of a commit: see `payload`; of padding: zeros
//! ```

use bytemuck::{Pod, Zeroable};
use twox_hash::XxHash3_64;

use crate::ids::Seq;

/// The size of a record's header in bytes.
pub(crate) const RECORD_HEADER_SIZE: usize = 40;

/// All records begin at multiples of this.
pub(crate) const RECORD_ALIGN: usize = 8;

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct RawRecord {
    checksum: [u8; 8],
    previous: [u8; 8],
    len: [u8; 4],
    kind: u8,
    reserved: [u8; 3],
    seq: [u8; 8],
    synced: [u8; 8],
}

const _: () = assert!(size_of::<RawRecord>() == RECORD_HEADER_SIZE);

/// What a record is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Commit,
    Padding,
}

/// A record's header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Record {
    pub(crate) checksum: u64,
    pub(crate) previous: u64,
    pub(crate) len: u32,
    pub(crate) kind: Kind,
    pub(crate) seq: Seq,
    pub(crate) synced: u64,
}

impl Record {
    /// Reads the header of a record; nothing if no record can begin like that at `offset`.
    pub(crate) fn decode(bytes: &[u8; RECORD_HEADER_SIZE], offset: u64) -> Option<Self> {
        let raw: RawRecord = bytemuck::pod_read_unaligned(bytes);
        let len = u32::from_le_bytes(raw.len);
        let kind = match raw.kind {
            1 => Kind::Commit,
            2 => Kind::Padding,
            _ => return None,
        };
        let synced = u64::from_le_bytes(raw.synced);
        let is_record = (len as usize).is_multiple_of(RECORD_ALIGN)
            && len as usize >= RECORD_HEADER_SIZE
            && raw.reserved == [0; 3]
            && synced <= offset;
        is_record.then(|| Self {
            checksum: u64::from_le_bytes(raw.checksum),
            previous: u64::from_le_bytes(raw.previous),
            len,
            kind,
            seq: Seq::new(u64::from_le_bytes(raw.seq)),
            synced,
        })
    }

    /// Whether `bytes`, the whole record, are what was written at `offset` of the log
    /// with this salt.
    pub(crate) fn is_valid(&self, bytes: &[u8], salt: u64, offset: u64) -> bool {
        checksum(bytes, salt, offset) == self.checksum
    }

    /// Writes the header, the checksum last, into the first bytes of `bytes`, which hold
    /// the payload behind it. Returns the checksum.
    pub(crate) fn seal(mut self, bytes: &mut [u8], salt: u64, offset: u64) -> u64 {
        let mut raw = RawRecord {
            checksum: [0; 8],
            previous: self.previous.to_le_bytes(),
            len: self.len.to_le_bytes(),
            kind: match self.kind {
                Kind::Commit => 1,
                Kind::Padding => 2,
            },
            reserved: [0; 3],
            seq: self.seq.get().to_le_bytes(),
            synced: self.synced.to_le_bytes(),
        };
        bytes[..RECORD_HEADER_SIZE].copy_from_slice(bytemuck::bytes_of(&raw));
        self.checksum = checksum(bytes, salt, offset);
        raw.checksum = self.checksum.to_le_bytes();
        bytes[..8].copy_from_slice(&raw.checksum);
        self.checksum
    }
}

fn checksum(bytes: &[u8], salt: u64, offset: u64) -> u64 {
    XxHash3_64::oneshot_with_seed(salt ^ offset, bytes.get(8..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_header_has_these_bytes_for_ever() {
        let record = Record {
            checksum: 0,
            previous: 0x0201,
            len: 48,
            kind: Kind::Padding,
            seq: Seq::new(3),
            synced: 4,
        };
        let mut bytes = [0; 48];
        bytes[40..].copy_from_slice(b"payload!");
        record.seal(&mut bytes, 5, 4096);
        assert_eq!(bytes[8..16], [1, 2, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[16..24], [48, 0, 0, 0, 2, 0, 0, 0]);
        assert_eq!(bytes[24..32], [3, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[32..40], [4, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(&bytes[40..], b"payload!");
        let checksum = XxHash3_64::oneshot_with_seed(5 ^ 4096, &bytes[8..]);
        assert_eq!(bytes[..8], checksum.to_le_bytes());
    }

    #[test]
    fn no_record_begins_with_what_no_writer_writes() {
        let record = Record {
            checksum: 0,
            previous: 1,
            len: 48,
            kind: Kind::Commit,
            seq: Seq::new(2),
            synced: 4096,
        };
        let mut bytes = [0; 48];
        let checksum = record.seal(&mut bytes, 5, 4096);
        let sound = *bytes.first_chunk::<RECORD_HEADER_SIZE>().unwrap();
        assert_eq!(Record::decode(&sound, 4096), Some(Record { checksum, ..record }));
        assert_eq!(Record::decode(&sound, 4088), None, "synced beyond itself");
        // The length is no multiple of 8, too small; kinds and reserved bytes that mean nothing.
        for (at, byte) in [(16, 49), (16, 32), (20, 0), (20, 3), (21, 1), (22, 1), (23, 1)] {
            let mut other = sound;
            other[at] = byte;
            assert_eq!(Record::decode(&other, 4096), None, "byte {at}");
        }
    }
}
