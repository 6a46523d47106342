//! How a search was carried out.

use std::fmt;

use super::plan::Plan;

/// What a search did; made by [`Find::explain_analyze`](crate::Find::explain_analyze).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explain {
    /// How documents were found.
    pub plan: Plan,
    /// How many documents were read and matched against the filter.
    pub documents_examined: u64,
    /// How many documents the search returned.
    pub documents_returned: u64,
    /// How many bytes the sort wrote to temporary files; see
    /// [`Find::sort_bytes_max`](crate::Find::sort_bytes_max).
    pub temporary_bytes: u64,
}

impl fmt::Display for Explain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, documents_examined, documents_returned, temporary_bytes } = self;
        let access_path = plan.access_path;
        write!(f, "{access_path}: {documents_examined} looked at, {documents_returned} found")?;
        match temporary_bytes {
            0 if plan.sort.is_empty() => Ok(()),
            0 => f.write_str(", sorted"),
            bytes => write!(f, ", sorted with {bytes} bytes in temporary files"),
        }
    }
}
