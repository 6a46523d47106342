//! What was done to a storage, in order.

/// One call that changed the storage or promised that changes stay.
///
/// A call that failed is recorded with what it did before it failed: a short write
/// with the bytes that were written, a sync not at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// These bytes were written at this place.
    Write {
        /// Where the first byte went.
        offset: u64,
        /// The bytes.
        data: Vec<u8>,
    },
    /// The file was cut or lengthened.
    SetLen {
        /// To so many bytes.
        len: u64,
    },
    /// All before this is on stable storage.
    Sync,
}

impl Event {
    /// Does to `bytes` what the call did to the storage.
    pub fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write { offset, data } => {
                let start = usize::try_from(*offset).unwrap_or(usize::MAX);
                let end = start.saturating_add(data.len());
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[start..end].copy_from_slice(data);
            }
            Self::SetLen { len } => bytes.resize(usize::try_from(*len).unwrap_or(usize::MAX), 0),
            Self::Sync => {}
        }
    }
}
