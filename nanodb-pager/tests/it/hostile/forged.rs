//! Sidecars that nobody wrote: all checksums are right, none of them is a secret.

use nanodb_pager::PAGE_SIZE;
use nanodb_sim::Files;
use twox_hash::XxHash3_64;

/// What the header of a file says that its sidecars must go with.
pub(super) struct Forger {
    uuid: Vec<u8>,
    generation: u64,
    seq: u64,
    log_generation: u64,
}

impl Forger {
    /// For a file whose two copies of the header are the same.
    pub(super) fn of(file: &[u8]) -> Self {
        let number = |at: usize| u64::from_le_bytes(*file[at..].first_chunk().unwrap());
        let uuid = file[56..72].to_vec();
        Self { uuid, generation: number(80), seq: number(88), log_generation: number(128) }
    }

    /// A double-write buffer of one batch that names these pages, each with this checksum, and the
    /// images.
    pub(super) fn side(&self, pages: impl Iterator<Item = u32>, images: usize) -> Vec<u8> {
        let entries: Vec<[u8; 12]> = pages
            .map(|page| {
                let mut entry = [7; 12];
                entry[..4].copy_from_slice(&page.to_le_bytes());
                entry
            })
            .collect();
        let mut bytes = vec![0; 8];
        bytes.extend_from_slice(b"NanoDB dwb\r\n\x1a\n\0\0");
        bytes.extend_from_slice(&self.uuid);
        bytes.extend_from_slice(&(self.generation + 1).to_le_bytes());
        bytes.extend_from_slice(&u32::try_from(entries.len()).unwrap().to_le_bytes());
        bytes.extend_from_slice(&3_u32.to_le_bytes());
        bytes.extend_from_slice(&[5; 8]);
        bytes.extend_from_slice(entries.as_flattened());
        seal(&mut bytes, 0);
        let len = bytes.len().next_multiple_of(PAGE_SIZE) + images * PAGE_SIZE;
        bytes.resize(len, 0);
        bytes
    }

    /// A log of commits with these payloads, none of which it says to be on stable storage.
    pub(super) fn log(&self, payloads: &[Vec<u8>]) -> Vec<u8> {
        let salt = 0x1234_5678_9abc_def0_u64;
        let mut bytes = vec![0; 8];
        bytes.extend_from_slice(b"NanoDB log\r\n\x1a\n\0\0");
        bytes.extend_from_slice(&3_u64.to_le_bytes());
        bytes.extend_from_slice(&self.uuid);
        for number in [self.log_generation, salt, 0, self.seq + 1] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        seal(&mut bytes, 0);
        bytes.resize(PAGE_SIZE, 0);
        let mut previous = salt;
        for (payload, seq) in payloads.iter().zip(self.seq + 1..) {
            let offset = bytes.len() as u64;
            let len = (40 + payload.len()).next_multiple_of(8);
            let mut record = vec![0; len];
            record[8..16].copy_from_slice(&previous.to_le_bytes());
            record[16..20].copy_from_slice(&u32::try_from(len).unwrap().to_le_bytes());
            record[20] = 1;
            record[24..32].copy_from_slice(&seq.to_le_bytes());
            record[40..40 + payload.len()].copy_from_slice(payload);
            previous = seal(&mut record, salt ^ offset);
            bytes.extend_from_slice(&record);
        }
        bytes
    }

    /// Puts such a log beside a file.
    pub(super) fn put_log(&self, files: &mut Files, payloads: &[Vec<u8>]) {
        files.insert(self.log_suffix().to_owned(), self.log(payloads));
    }

    pub(super) fn log_suffix(&self) -> &'static str {
        if self.log_generation.is_multiple_of(2) { "-log0" } else { "-log1" }
    }
}

fn seal(bytes: &mut [u8], seed: u64) -> u64 {
    let checksum = XxHash3_64::oneshot_with_seed(seed, &bytes[8..]);
    bytes[..8].copy_from_slice(&checksum.to_le_bytes());
    checksum
}

fn leb(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// What an entry says of a page.
#[derive(Clone, Copy)]
pub(super) enum Entry {
    /// A change to one byte.
    Delta,
    /// A page of zeros.
    Init,
    /// The page in the file, with the checksum that [`Forger::side`] names.
    Unlogged,
}

/// The payload of a commit that takes some pages and has these entries.
pub(super) fn payload(
    taken: Option<(u32, u32)>,
    entries: impl ExactSizeIterator<Item = (u32, Entry)>,
) -> Vec<u8> {
    let mut out = vec![0];
    leb(&mut out, u32::from(taken.is_some()));
    if let Some((start, pages)) = taken {
        leb(&mut out, start);
        leb(&mut out, pages);
    }
    out.push(0);
    leb(&mut out, u32::try_from(entries.len()).unwrap());
    for (page, entry) in entries {
        leb(&mut out, page);
        match entry {
            Entry::Delta => out.extend_from_slice(&[0, 4, 1, 0, 1, 9]),
            Entry::Init => out.extend_from_slice(&[1, 16, 7, 1, 0]),
            Entry::Unlogged => out.extend_from_slice(&[2, 7, 7, 7, 7, 7, 7, 7, 7]),
        }
    }
    out
}
