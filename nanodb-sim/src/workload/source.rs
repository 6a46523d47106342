//! Choices made by bytes.

/// Bytes that are used up choice by choice; zeros follow them.
#[derive(Debug)]
pub(super) struct Source<'a>(pub(super) &'a [u8]);

impl Source<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    pub(super) fn word(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    /// Returns a number below `bound`, which is at most 256.
    pub(super) fn below(&mut self, bound: u16) -> u8 {
        u8::try_from(u16::from(self.byte()) % bound.max(1)).unwrap_or(0)
    }
}
