//! The write-ahead log: what was committed since the last checkpoint.
//!
//! Two files beside the database are used in turn. A commit appends one [`record`] to the
//! current one; a checkpoint begins by switching to the other, and once its header is
//! durable the former is no longer needed and is written over at the next switch.
//!
//! ```text
//! offset  size  what
//! ------  ----  ---------------------------------------------
//!      0  4096  segment header, see `segment`
//!   4096     .  records, each a multiple of 8 bytes long
//!      .     .  zeros, or what an earlier generation left
//! ```
//!
//! A log ends at the first record that is not valid. What an earlier generation left is
//! never valid: the salt, drawn anew for every generation, seeds every checksum.
//!
//! # Invariants
//!
//! 1. Records are in commit order and without a gap; each names the checksum of the
//!    one before it.
//! 2. A group that was synced is padded to a multiple of 4,096 bytes, so no later write
//!    touches a block that holds an acknowledged record.
//! 3. A record states how far the log was synced when it was written. Damage below
//!    that mark is corruption; damage above it is a tail that never was acknowledged.
//! 4. A record is durable once the log is synced up to its end and the data file since its
//!    unlogged pages were written; the mark of invariant 3 moves only then. So above the mark
//!    a record counts only if its unlogged pages carry the checksums that it names, and
//!    the log ends before the first one that does not count.

pub(crate) mod group_commit;
mod lifecycle;
mod log_state;
pub(crate) mod payload;
pub(crate) mod record;
pub(crate) mod recovery;
mod resync;
pub(crate) mod scan;
pub(crate) mod segment;
mod shorten;
pub(crate) mod state;
pub(crate) mod writer;

/// The block that a device may garble as a whole when a write to it is torn, in bytes.
pub(crate) const BLOCK_SIZE: u64 = 4096;

/// A place in the history of all logs: it only grows, from one log to the next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Lsn(pub(crate) u64);

/// What is appended to the database's name for the log of this generation.
pub(crate) fn suffix(generation: u64) -> &'static str {
    if generation.is_multiple_of(2) { "-log0" } else { "-log1" }
}
