//! How much a commit promises before it returns.

/// What a commit survives once it has returned.
///
/// Whatever the level, what is found after a crash is a prefix of the commits, each
/// of them whole.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[non_exhaustive]
pub enum Durability {
    /// The commit is in memory; it reaches the file with the next stronger commit, the
    /// next checkpoint, or when 64 KiB have gathered. A killed process loses what had not.
    Relaxed,
    /// The commit is with the operating system: it survives the process being killed, not a
    /// power cut. Costs one write call.
    Buffered,
    /// The commit is on stable storage: it survives a power cut. Costs one sync, which
    /// threads that commit at the same time share.
    #[default]
    Immediate,
}
