//! What the layer above keeps besides pages.
//!
//! Some things change with every commit but are too small and too often changed to
//! have a page of their own: counters, where the next record goes, which extents
//! belong to whom. The layer above says with each commit what changed, in a *note*;
//! the pager keeps notes in commit order and never looks inside. A checkpoint folds
//! them into the *root*, a run of bytes that is saved with the pages and handed
//! back when the file is opened.

/// Adds notes up. A pure function: the same bytes in, the same bytes out.
pub trait NoteFolder: Send + Sync + 'static {
    /// Returns the root that says what `root`, and then each of `notes` in commit
    /// order, say. The root of a new file is empty.
    ///
    /// Called while a checkpoint is under way, often by a thread in the background: it must
    /// not wait for anything that commits or checkpoints.
    ///
    /// # Errors
    ///
    /// When the bytes make no sense to the layer above. The checkpoint then does
    /// not happen, and its caller gets [`Error::Fold`](crate::Error::Fold).
    fn fold(
        &self,
        root: &[u8],
        notes: &mut dyn Iterator<Item = &[u8]>,
    ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>;
}

/// For users who need no notes: the root stays what it is.
impl NoteFolder for () {
    fn fold(
        &self,
        root: &[u8],
        _: &mut dyn Iterator<Item = &[u8]>,
    ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(root.to_vec())
    }
}

/// Notes in commit order, without an allocation for each.
#[derive(Default)]
pub(crate) struct Notes {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Notes {
    pub(crate) fn push(&mut self, note: &[u8]) {
        if !note.is_empty() {
            self.bytes.extend_from_slice(note);
            self.ends.push(self.bytes.len());
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How much memory they take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len() + self.ends.len() * size_of::<usize>()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let note = &self.bytes[start..end];
            start = end;
            note
        })
    }
}
