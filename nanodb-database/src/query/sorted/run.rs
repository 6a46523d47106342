//! Runs: entries in order, in a temporary file, block by block.
//!
//! ```text
//! size  field      meaning
//! ----  ---------  ---------------------------
//!    4  key_len    little-endian, as the next
//!    4  kept_len
//!    .  key
//!    .  kept
//! ```
//!
//! A block has whole entries, one after the other; where the blocks are is in memory.

use nanodb_pager::{Result, TempBytes, TempFile};

/// How many bytes a block has, unless an entry is larger.
pub(super) fn block_bytes(bytes_max: usize) -> usize {
    (bytes_max / 16).clamp(256, 64 << 10)
}

/// One run.
#[derive(Debug)]
pub(super) struct Run {
    blocks: Vec<TempBytes>,
}

/// Writes a run.
pub(super) struct RunWriter {
    block: Vec<u8>,
    block_bytes: usize,
    blocks: Vec<TempBytes>,
}

impl RunWriter {
    /// For a sort that may take so many bytes in memory.
    pub(super) fn new(bytes_max: usize) -> Self {
        let block_bytes = block_bytes(bytes_max);
        Self { block: Vec::with_capacity(block_bytes), block_bytes, blocks: Vec::new() }
    }

    pub(super) fn push(&mut self, file: &mut TempFile, key: &[u8], kept: &[u8]) -> Result<()> {
        let len = 8 + key.len() + kept.len();
        if !self.block.is_empty() && self.block.len() + len > self.block_bytes {
            self.flush(file)?;
        }
        for part in [key, kept] {
            let len = u32::try_from(part.len()).unwrap_or(u32::MAX);
            self.block.extend_from_slice(&len.to_le_bytes());
        }
        self.block.extend_from_slice(key);
        self.block.extend_from_slice(kept);
        Ok(())
    }

    fn flush(&mut self, file: &mut TempFile) -> Result<()> {
        self.blocks.push(file.append(&self.block)?);
        self.block.clear();
        self.block.shrink_to(self.block_bytes);
        Ok(())
    }

    pub(super) fn finish(mut self, file: &mut TempFile) -> Result<Run> {
        if !self.block.is_empty() {
            self.flush(file)?;
        }
        Ok(Run { blocks: self.blocks })
    }
}

/// Reads a run, from its first entry to its last.
pub(super) struct RunReader {
    blocks: std::vec::IntoIter<TempBytes>,
    block: Vec<u8>,
    /// Where in the block the entry is that was come to.
    key: std::ops::Range<usize>,
    end: usize,
}

impl RunReader {
    pub(super) fn new(run: Run) -> Self {
        Self { blocks: run.blocks.into_iter(), block: Vec::new(), key: 0..0, end: 0 }
    }

    /// Goes on to the next entry; false if there is none.
    pub(super) fn advance(&mut self, file: &TempFile) -> Result<bool> {
        if self.end >= self.block.len() {
            let Some(next) = self.blocks.next() else { return Ok(false) };
            file.read(next, &mut self.block)?;
            self.end = 0;
        }
        // The block is as it was written, by its checksum.
        let mut lens = self.block.get(self.end..).unwrap_or_default().as_chunks::<4>().0.iter();
        let mut len = || lens.next().map_or(0, |len| u32::from_le_bytes(*len) as usize);
        let (key_len, kept_len) = (len(), len());
        let start = self.end + 8;
        self.key = start..start + key_len;
        self.end = self.key.end + kept_len;
        Ok(true)
    }

    /// The key of the entry that was come to.
    #[inline]
    pub(super) fn key(&self) -> &[u8] {
        self.block.get(self.key.clone()).unwrap_or_default()
    }

    /// What is kept with it.
    pub(super) fn kept(&self) -> &[u8] {
        self.block.get(self.key.end..self.end).unwrap_or_default()
    }
}
