//! Sorting what was found: in memory as far as that goes, then in a temporary file.
//!
//! Of a document that passes its key is kept, made once, and with it what is wanted of the
//! document; or, where its page is in memory anyway, only the place where it lies. When that takes
//! more than the budget, it goes to a temporary file as a *run*, in order, and the memory is used
//! again. The runs are merged while documents are handed out; if they are too many to be merged at
//! once, a part of them at a time before.
//!
//! With a limit only as many are kept as can be handed out, and at most as many again, which are
//! sorted out now and then. What can't be among the first any more is not kept at all.
//!
//! Documents with equal keys stay in the order in which they were found: in memory it is the order
//! in which they were put there, and of runs the earlier comes first.

mod buffer;
mod entry;
mod merge;
mod run;

use nanodb_pager::{Pager, TempFile};

use self::buffer::Buffer;
pub(super) use self::entry::{SortEntries, SortEntry};
use self::merge::Merge;
use self::run::{Run, RunWriter};
use crate::error::{Result, sort_file};

/// How many bytes of memory a sort takes by default: 100 MiB.
pub const SORT_BYTES_MAX_DEFAULT: usize = 100 << 20;

/// So many more than can be handed out gather at least before they are sorted out.
const SURPLUS_MIN: usize = 64;

/// The documents that come first, while they are gathered.
pub(super) struct Sorter {
    buffer: Buffer,
    /// How many can be handed out.
    kept_max: usize,
    /// A key that so many known ones are not above.
    cutoff: Option<Vec<u8>>,
    runs: Vec<Run>,
    /// Where the runs are, if there are some.
    file: Option<TempFile>,
    pager: Pager,
    bytes_max: usize,
}

impl Sorter {
    /// Keeps so many documents at most, and so many bytes in memory; what is above goes to a
    /// temporary file of the pager.
    pub(super) fn new(kept_max: usize, bytes_max: usize, pager: Pager) -> Self {
        let buffer = Buffer::new(bytes_max);
        Self { buffer, kept_max, cutoff: None, runs: Vec::new(), file: None, pager, bytes_max }
    }

    /// Whether a document with that key can be among the first.
    pub(super) fn wants(&self, key: &[u8]) -> bool {
        match &self.cutoff {
            Some(cutoff) => key < cutoff.as_slice(),
            None => self.kept_max > 0,
        }
    }

    /// Keeps a document that is wanted.
    pub(super) fn push(&mut self, key: &[u8], kept: SortEntry<'_>) -> Result<()> {
        entry::check_key(key)?;
        let surplus = self.kept_max.max(SURPLUS_MIN);
        if self.buffer.len() >= self.kept_max.saturating_add(surplus) {
            self.drop_surplus();
        }
        let len = key.len() + kept.len();
        if !self.buffer.has_room(len) {
            self.make_room(len)?;
        }
        self.buffer.push(key, kept);
        Ok(())
    }

    /// Drops what can't be handed out any more.
    fn drop_surplus(&mut self) {
        if let Some(last) = self.buffer.truncate(self.kept_max) {
            self.cutoff = Some(last.to_vec());
        }
    }

    #[cold]
    fn make_room(&mut self, len: usize) -> Result<()> {
        self.drop_surplus();
        // Where little was dropped, it would soon be tried again.
        let is_half_full = self.buffer.used_bytes() > self.bytes_max / 2;
        if is_half_full || !self.buffer.has_room(len) {
            self.spill()?;
            // What is alone always has.
            self.buffer.has_room(len);
        }
        Ok(())
    }

    /// Moves what is in memory to the temporary file.
    fn spill(&mut self) -> Result<()> {
        if self.buffer.len() == 0 {
            return Ok(());
        }
        let bytes_max = self.bytes_max;
        let failed = |why| sort_file(bytes_max, why);
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(self.pager.temp_file().map_err(failed)?),
        };
        self.buffer.sort();
        let mut writer = RunWriter::new(self.bytes_max);
        for at in 0..self.buffer.len() {
            let (key, kept) = self.buffer.get(at);
            writer.push(file, key, kept).map_err(failed)?;
        }
        self.runs.push(writer.finish(file).map_err(failed)?);
        self.buffer.clear();
        Ok(())
    }

    /// What was kept, in order, but for the first `skip`.
    pub(super) fn finish(mut self, skip: usize) -> Result<Sorted> {
        self.drop_surplus();
        if self.file.is_some() {
            self.spill()?;
        }
        let Self { mut buffer, kept_max, runs, file, pager, bytes_max, .. } = self;
        let Some(file) = file else {
            buffer.sort();
            return Ok(Sorted { from: From::Memory { buffer, next: skip }, temporary_bytes: 0 });
        };
        drop(buffer);
        let failed = |why| sort_file(bytes_max, why);
        let mut temporary_bytes = file.len();
        let new_file = || pager.temp_file();
        let mut merge = merge::reduce(file, runs, kept_max, bytes_max, new_file, |bytes| {
            temporary_bytes += bytes;
        })
        .map_err(failed)?;
        merge.skip(skip).map_err(failed)?;
        Ok(Sorted { from: From::File { merge, bytes_max }, temporary_bytes })
    }
}

/// Documents in order, to be handed out.
pub(super) struct Sorted {
    from: From,
    temporary_bytes: u64,
}

enum From {
    Memory { buffer: Buffer, next: usize },
    File { merge: Merge, bytes_max: usize },
}

impl Sorted {
    /// The next one. After an error there is none.
    pub(super) fn next(&mut self) -> Result<Option<SortEntry<'_>>> {
        let packed = match &mut self.from {
            From::Memory { buffer, next } => {
                if *next >= buffer.len() {
                    return Ok(None);
                }
                *next += 1;
                Some(buffer.get(*next - 1).1)
            }
            From::File { merge, bytes_max } => {
                let bytes_max = *bytes_max;
                let next = merge.next().map_err(|why| sort_file(bytes_max, why))?;
                next.map(|(_, packed)| packed)
            }
        };
        Ok(packed.map(SortEntry::unpack))
    }

    /// How many bytes were written to temporary files.
    pub(super) fn temporary_bytes(&self) -> u64 {
        self.temporary_bytes
    }
}
