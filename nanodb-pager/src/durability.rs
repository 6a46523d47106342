//! How much a commit promises before it returns.

use std::fmt;

/// What a commit survives once it has returned.
///
/// Whatever the level, what is found after a crash is a prefix of the commits, each
/// of them whole. What a level costs depends on the disk: an insert of one document took 308 µs
/// with `Immediate`, 3.9 µs with `Buffered` and 3.0 µs with `Relaxed` on a virtual machine of two
/// cores.
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use nanodb::{Database, Durability, doc};
///
/// # fn main() -> nanodb::Result<()> {
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("data.nanodb");
/// let db = Database::options().durability(Durability::Buffered).open(path)?;
/// db.collection("log").insert(doc! { "text": "survives this process being killed" })?;
///
/// // One transaction that survives a power failure.
/// let tx = db.begin_write();
/// tx.set_durability(Durability::Immediate);
/// tx.collection("orders").insert(doc! { "paid": true })?;
/// tx.commit()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[non_exhaustive]
pub enum Durability {
    /// The commit is in memory; it is on stable storage within an interval, a second by default
    /// (see [`Options`](crate::Options)), or with the next stronger commit or checkpoint.
    Relaxed,
    /// The commit is with the operating system: it survives the process being killed, not a power
    /// failure. Costs one write call.
    Buffered,
    /// The commit is on stable storage: it survives a power failure. Costs one sync, which threads
    /// that commit at the same time share.
    #[default]
    Immediate,
}

/// Prints the name in small letters.
impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Relaxed => "relaxed",
            Self::Buffered => "buffered",
            Self::Immediate => "immediate",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_durability_prints_its_name() {
        let all = [Durability::Relaxed, Durability::Buffered, Durability::Immediate];
        assert_eq!(
            all.map(|durability| durability.to_string()),
            ["relaxed", "buffered", "immediate"]
        );
        assert_eq!(format!("{:>10}", Durability::Relaxed), "   relaxed");
    }
}
