//! The first block of a log file: whose log it is and of which generation.
//!
//! ```text
//! offset  size  field           meaning
//! ------  ----  --------------  ----------------------------------------------
//!      0     8  checksum        XXH3-64 of bytes 8..80
//!      8    16  magic           "NanoDB log\r\n\x1a\n\0\0"
//!     24     4  format_version  3
//!     28     4  reserved        zero
//!     32    16  uuid            of the database
//!     48     8  generation      one more than the log before it
//!     56     8  salt            random; seeds the checksums of this log's records
//!     64     8  previous_salt   of the log before it, 0 if it stands alone
//!     72     8  first_seq       the commit that the first record holds
//! ```

use bytemuck::{Pod, Zeroable};
use twox_hash::XxHash3_64;

use crate::file::header::FORMAT_VERSION;
use crate::ids::Seq;

const MAGIC: [u8; 16] = *b"NanoDB log\r\n\x1a\n\0\0";

/// The contents of a segment header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Segment {
    pub(crate) uuid: [u8; 16],
    pub(crate) generation: u64,
    pub(crate) salt: u64,
    pub(crate) previous_salt: u64,
    pub(crate) first_seq: Seq,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct RawSegment {
    checksum: [u8; 8],
    magic: [u8; 16],
    format_version: [u8; 4],
    reserved: [u8; 4],
    uuid: [u8; 16],
    generation: [u8; 8],
    salt: [u8; 8],
    previous_salt: [u8; 8],
    first_seq: [u8; 8],
}

/// The bytes of a segment header that mean something; the rest of its block is zero.
pub(crate) const SEGMENT_SIZE: usize = size_of::<RawSegment>();
const _: () = assert!(SEGMENT_SIZE == 80 && align_of::<RawSegment>() == 1);

impl Segment {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut raw = RawSegment {
            checksum: [0; 8],
            magic: MAGIC,
            format_version: FORMAT_VERSION.to_le_bytes(),
            reserved: [0; 4],
            uuid: self.uuid,
            generation: self.generation.to_le_bytes(),
            salt: self.salt.to_le_bytes(),
            previous_salt: self.previous_salt.to_le_bytes(),
            first_seq: self.first_seq.get().to_le_bytes(),
        };
        raw.checksum = XxHash3_64::oneshot(&bytemuck::bytes_of(&raw)[8..]).to_le_bytes();
        bytemuck::bytes_of(&raw).to_vec()
    }

    /// Nothing if the bytes are no segment header of this format.
    pub(crate) fn decode(bytes: &[u8; SEGMENT_SIZE]) -> Option<Self> {
        let raw: RawSegment = bytemuck::pod_read_unaligned(bytes);
        let checksum = XxHash3_64::oneshot(&bytes[8..]);
        let ours = raw.magic == MAGIC && raw.format_version == FORMAT_VERSION.to_le_bytes();
        (ours && u64::from_le_bytes(raw.checksum) == checksum).then(|| Self {
            uuid: raw.uuid,
            generation: u64::from_le_bytes(raw.generation),
            salt: u64::from_le_bytes(raw.salt),
            previous_salt: u64::from_le_bytes(raw.previous_salt),
            first_seq: Seq::new(u64::from_le_bytes(raw.first_seq)),
        })
    }
}

/// The uuid of the database that a log belongs to by its first bytes, of whatever format and
/// however damaged otherwise; none if they are no log's.
pub(crate) fn uuid_in(sign: &[u8]) -> Option<[u8; 16]> {
    let is_log = sign.get(8..24)? == MAGIC;
    if is_log { sign.get(32..48)?.try_into().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_header_has_these_bytes_for_ever() {
        let segment = Segment {
            uuid: [0xAA; 16],
            generation: 0x0102,
            salt: 3,
            previous_salt: 4,
            first_seq: Seq::new(5),
        };
        let bytes = segment.encode();
        assert_eq!(&bytes[8..24], b"NanoDB log\r\n\x1a\n\0\0");
        assert_eq!(bytes[24..32], [3, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[32..48], [0xAA; 16]);
        assert_eq!(bytes[48..56], [2, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(
            bytes[56..80],
            *[[3, 0, 0, 0, 0, 0, 0, 0], [4, 0, 0, 0, 0, 0, 0, 0], [5, 0, 0, 0, 0, 0, 0, 0,]]
                .as_flattened()
        );
        assert_eq!(bytes.len(), 80);
        assert_eq!(bytes[..8], XxHash3_64::oneshot(&bytes[8..]).to_le_bytes());
    }

    #[test]
    fn a_segment_header_reads_back_and_no_bit_of_it_may_change() {
        let segment = Segment {
            uuid: [7; 16],
            generation: 1,
            salt: 2,
            previous_salt: 3,
            first_seq: Seq::new(4),
        };
        let mut bytes: [u8; SEGMENT_SIZE] = segment.encode().try_into().unwrap();
        assert_eq!(bytes[48..56], [1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(Segment::decode(&bytes), Some(segment));
        for bit in 0..SEGMENT_SIZE * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Segment::decode(&bytes), None, "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
}
