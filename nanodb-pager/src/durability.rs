//! How much a commit promises before it returns.

/// What a commit survives once it has returned.
///
/// Whatever the level, what is found after a crash is a prefix of the commits, each
/// of them whole.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[non_exhaustive]
pub enum Durability {
    /// The commit is in memory; it is on stable storage within an interval, a second by default
    /// (see [`Options`](crate::Options)), or with the next stronger commit or checkpoint.
    Relaxed,
    /// The commit is with the operating system: it survives the process being killed, not a
    /// power cut. Costs one write call.
    Buffered,
    /// The commit is on stable storage: it survives a power cut. Costs one sync, which
    /// threads that commit at the same time share.
    #[default]
    Immediate,
}
