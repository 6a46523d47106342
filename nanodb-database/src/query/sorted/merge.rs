//! Merging runs.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use nanodb_pager::{Result, TempFile};

use super::run::{Run, RunReader, RunWriter, block_bytes};

/// The most runs that are merged at once.
const AT_ONCE_MAX: usize = 256;

/// The entries of several runs, in order.
pub(super) struct Merge {
    file: TempFile,
    /// The run with the least entry is on top.
    heads: BinaryHeap<Head>,
    /// Whether the entry on top was handed out.
    is_used: bool,
    /// How many entries may yet come.
    left: usize,
}

/// A run, at its first entry that is left.
struct Head {
    reader: RunReader,
    number: usize,
}

/// Merges runs until few enough are left to be merged at once, by reading so much of each that it
/// all takes `bytes_max` at most. Of each merge only the first `kept_max` entries count. `written`
/// is told how many bytes that took in further temporary files.
pub(super) fn reduce(
    mut file: TempFile,
    mut runs: Vec<Run>,
    kept_max: usize,
    bytes_max: usize,
    new_file: impl Fn() -> Result<TempFile>,
    mut written: impl FnMut(u64),
) -> Result<Merge> {
    let at_once = (bytes_max / block_bytes(bytes_max)).clamp(2, AT_ONCE_MAX);
    while runs.len() > at_once {
        let mut next = new_file()?;
        let mut merged = Vec::new();
        let mut left = runs.into_iter();
        while left.len() > 0 {
            // Side by side, so that equal keys stay in order.
            let some = left.by_ref().take(at_once).collect();
            let mut merge = Merge::new(file, some, kept_max)?;
            let mut writer = RunWriter::new(bytes_max);
            while let Some((key, kept)) = merge.next()? {
                writer.push(&mut next, key, kept)?;
            }
            merged.push(writer.finish(&mut next)?);
            file = merge.file;
        }
        written(next.len());
        file = next;
        runs = merged;
    }
    Merge::new(file, runs, kept_max)
}

impl Merge {
    fn new(file: TempFile, runs: Vec<Run>, kept_max: usize) -> Result<Self> {
        let mut heads = Vec::with_capacity(runs.len());
        for (number, run) in runs.into_iter().enumerate() {
            let mut head = Head { reader: RunReader::new(run), number };
            if head.reader.advance(&file)? {
                heads.push(head);
            }
        }
        Ok(Self { file, heads: heads.into(), is_used: false, left: kept_max })
    }

    /// The key of the next entry, and what is kept with it. After an error there is none.
    pub(super) fn next(&mut self) -> Result<Option<(&[u8], &[u8])>> {
        if self.left == 0 {
            return Ok(None);
        }
        if let Err(error) = self.advance() {
            self.left = 0;
            return Err(error);
        }
        self.left -= 1;
        Ok(self.heads.peek().map(|top| (top.reader.key(), top.reader.kept())))
    }

    /// Leaves out so many entries.
    pub(super) fn skip(&mut self, count: usize) -> Result<()> {
        for _ in 0..count {
            if self.next()?.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Puts the run on top that has the next entry.
    fn advance(&mut self) -> Result<()> {
        if self.is_used
            && let Some(mut top) = self.heads.peek_mut()
            && !top.reader.advance(&self.file)?
        {
            PeekMut::pop(top);
        }
        self.is_used = true;
        Ok(())
    }
}

impl Ord for Head {
    /// Turned round: what comes first is greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        let (one, other) = ((other.reader.key(), other.number), (self.reader.key(), self.number));
        one.cmp(&other)
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head {}
