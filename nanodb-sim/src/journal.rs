//! What was done to a simulated disk, in order.

use std::collections::BTreeMap;

/// The files of a disk by name. The database's own is named "", its sidecars by their
/// suffixes.
pub type Files = BTreeMap<String, Vec<u8>>;

/// One call that changed the disk or promised that changes stay.
///
/// A call that failed is recorded with what it did before it failed: a short write
/// with the bytes that were written, a sync not at all, or as [`Action::Forget`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// The file; for [`Action::SyncDirectory`] it means nothing.
    pub file: String,
    /// What was done to it.
    pub action: Action,
}

/// What a call did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// These bytes were written at this place.
    Write {
        /// Where the first byte went.
        offset: u64,
        /// The bytes.
        data: Vec<u8>,
    },
    /// The file was cut or lengthened.
    SetLen {
        /// The new length in bytes.
        len: u64,
    },
    /// What was written to the file before this is on stable storage.
    Sync,
    /// What was written to the file before this and not synced will not be saved by any sync.
    Forget,
    /// The file was created, empty.
    Create,
    /// The file was removed.
    Remove,
    /// The file got the name of another, which is gone.
    Replace {
        /// Its new name.
        to: String,
    },
    /// The file got a second name. Neither is written to from then on.
    Link {
        /// That name.
        to: String,
    },
    /// The files created, replaced and removed before this are so on stable storage.
    SyncDirectory,
}

impl Event {
    /// Does to `files` what the call did to the disk.
    pub fn apply(&self, files: &mut Files) {
        match &self.action {
            Action::Create => {
                files.entry(self.file.clone()).or_default();
            }
            Action::Remove => {
                files.remove(&self.file);
            }
            Action::Replace { to } => {
                if let Some(bytes) = files.remove(&self.file) {
                    files.insert(to.clone(), bytes);
                }
            }
            Action::Link { to } => {
                if let Some(bytes) = files.get(&self.file).cloned() {
                    files.insert(to.clone(), bytes);
                }
            }
            action => {
                if let Some(bytes) = files.get_mut(&self.file) {
                    action.apply(bytes);
                }
            }
        }
    }
}

impl Action {
    /// Does to a file's bytes what the call did.
    pub fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write { offset, data } => write(bytes, *offset, data),
            Self::SetLen { len } => bytes.resize(usize::try_from(*len).unwrap_or(usize::MAX), 0),
            Self::Sync
            | Self::Forget
            | Self::Create
            | Self::Remove
            | Self::Replace { .. }
            | Self::Link { .. }
            | Self::SyncDirectory => {}
        }
    }
}

/// Writes into a file's bytes, lengthening them where needed.
pub(crate) fn write(bytes: &mut Vec<u8>, offset: u64, data: &[u8]) {
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let end = start.saturating_add(data.len());
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[start..end].copy_from_slice(data);
}
