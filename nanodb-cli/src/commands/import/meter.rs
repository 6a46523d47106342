//! The progress of an import.

use crate::figures;
use crate::input::{Input, Progress as BytesRead};
use crate::progress::Progress;

/// Shows the progress of an import, if standard error is a terminal.
pub(super) struct Meter {
    progress: Progress,
    /// The number of bytes of the input; `None` for a stream.
    size: Option<u64>,
    read: BytesRead,
}

impl Meter {
    pub(super) fn new(input: &Input) -> Self {
        Self { progress: Progress::new(), size: input.size, read: input.progress.clone() }
    }

    pub(super) fn show(&mut self, documents: u64) {
        let text = || figures::counted(documents, "document");
        self.progress.show(self.read.bytes(), self.size, text);
    }

    pub(super) fn finish(&mut self) {
        self.progress.finish();
    }
}
