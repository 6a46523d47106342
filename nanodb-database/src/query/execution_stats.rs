//! What a search did, in figures.

use std::fmt;

use super::plan::Plan;

/// How a search was carried out, and how many documents it examined and returned; made by
/// [`Find::explain_analyze`](crate::Find::explain_analyze).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExecutionStats {
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

impl fmt::Display for ExecutionStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, documents_examined, documents_returned, temporary_bytes } = self;
        let access_path = plan.access_path;
        write!(f, "{access_path}: {documents_examined} examined, {documents_returned} returned")?;
        match temporary_bytes {
            0 if plan.sort.is_empty() => Ok(()),
            0 => f.write_str(", sorted"),
            bytes => write!(f, ", sorted with {bytes} bytes in temporary files"),
        }
    }
}
