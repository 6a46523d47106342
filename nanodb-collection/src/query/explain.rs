//! How a search was done.

use std::fmt;

/// How a search was done; made by [`Find::explain`](crate::Find::explain).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explain {
    /// How the documents were found.
    pub way: Way,
    /// How many documents were looked at.
    pub examined: u64,
    /// How many were found.
    pub found: u64,
    /// Whether they were sorted, for which all have to be looked at first.
    pub is_sorted: bool,
    /// How many bytes the sort wrote to temporary files; see
    /// [`Find::sort_bytes_max`](crate::Find::sort_bytes_max).
    pub temporary_bytes: u64,
}

/// How documents are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Way {
    /// By so many ids that the filter names.
    Ids {
        /// How many ids.
        count: usize,
    },
    /// By looking at all documents.
    Scan,
}

impl fmt::Display for Explain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.way {
            Way::Ids { count } => write!(f, "by {count} ids")?,
            Way::Scan => f.write_str("by looking at all documents")?,
        }
        write!(f, ": {} looked at, {} found", self.examined, self.found)?;
        match self.temporary_bytes {
            0 if !self.is_sorted => Ok(()),
            0 => f.write_str(", sorted"),
            bytes => write!(f, ", sorted with {bytes} bytes in temporary files"),
        }
    }
}
