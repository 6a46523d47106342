//! What can be done to a database, and what can happen to it.

use nanodb::Durability;

use super::source::Source;
use crate::fault::Failure;

/// How many collections operations speak of.
pub(super) const COLLECTIONS: u16 = 3;

/// How many ids they speak of in each.
const IDS: u16 = 60;

/// A change to one collection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Write {
    /// Inserts one document.
    Insert {
        /// Into which collection.
        collection: u8,
        /// Its id; assigned if there is none.
        id: Option<u8>,
        /// About how many bytes it has.
        size: u16,
    },
    /// Inserts several, all or none.
    InsertMany {
        /// Into which collection.
        collection: u8,
        /// Ids and sizes.
        documents: Vec<(Option<u8>, u16)>,
    },
    /// Stores a document in place of another.
    Replace {
        /// In which collection.
        collection: u8,
        /// Of which.
        id: u8,
        /// About how many bytes the new one has.
        size: u16,
    },
    /// Deletes a document.
    Delete {
        /// From which collection.
        collection: u8,
        /// Which.
        id: u8,
    },
}

/// How a transaction ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// Its changes become visible.
    Commit,
    /// They are rolled back.
    Rollback,
    /// The transaction is dropped, which rolls them back.
    Drop,
}

/// One operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Op {
    /// A change that is a commit of its own.
    Write(Write),
    /// Changes that are one commit, or none.
    Transaction {
        /// The changes.
        writes: Vec<Write>,
        /// How it ends.
        end: End,
        /// What it asks for.
        durability: Durability,
    },
    /// Reads a document by its id, in all ways there are.
    Get {
        /// From which collection.
        collection: u8,
        /// Which.
        id: u8,
    },
    /// Reads a whole collection, in all ways there are.
    Scan {
        /// Which.
        collection: u8,
    },
    /// Drops a collection.
    DropCollection {
        /// Which.
        collection: u8,
    },
    /// Renames a collection.
    Rename {
        /// Which.
        from: u8,
        /// What it is to be called.
        to: u8,
    },
    /// Takes a snapshot and keeps it.
    TakeSnapshot,
    /// Reads one of the snapshots taken, all of it.
    ReadSnapshot(u8),
    /// Lets one of the snapshots go.
    DropSnapshot(u8),
    /// Brings the file up to date.
    Checkpoint,
    /// Moves documents to the front of the file, and cuts it.
    Compact,
    /// Closes the database and opens it again.
    Reopen,
    /// Checks everything and compares everything.
    Check,
    /// The process is killed, and another one opens the database.
    Kill,
    /// The power is cut; what was not synced fares as the number says.
    PowerCut(u16),
    /// A call fails while the operation is under way.
    Failing {
        /// How many calls succeed before.
        after: u8,
        /// How it fails.
        failure: Failure,
        /// The operation.
        op: Box<Op>,
    },
}

impl Op {
    /// Returns the operations that these bytes mean. Every sequence of bytes means one.
    pub fn sequence(bytes: &[u8]) -> Vec<Self> {
        let mut source = Source(bytes);
        let mut ops = Vec::new();
        while !source.is_empty() {
            ops.push(Self::take(&mut source));
        }
        ops
    }

    fn take(source: &mut Source<'_>) -> Self {
        match source.below(64) {
            0..28 => Self::Write(Write::take(source)),
            28..36 => Self::transaction(source),
            36..40 => Self::Get { collection: collection(source), id: id(source) },
            40..43 => Self::Scan { collection: collection(source) },
            43 => Self::DropCollection { collection: collection(source) },
            44 => Self::Rename { from: collection(source), to: collection(source) },
            45..47 => Self::TakeSnapshot,
            47..50 => Self::ReadSnapshot(source.byte()),
            50 => Self::DropSnapshot(source.byte()),
            51 => Self::Checkpoint,
            52 => Self::Compact,
            53..55 => Self::Reopen,
            55 => Self::Check,
            56..58 => Self::Kill,
            58..61 => Self::PowerCut(source.word()),
            _ => Self::failing(source),
        }
    }

    fn transaction(source: &mut Source<'_>) -> Self {
        let count = source.below(6);
        let writes = (0..count).map(|_| Write::take(source)).collect();
        let end = match source.below(8) {
            0 => End::Rollback,
            1 => End::Drop,
            _ => End::Commit,
        };
        let durability = match source.below(3) {
            0 => Durability::Relaxed,
            1 => Durability::Buffered,
            _ => Durability::Immediate,
        };
        Self::Transaction { writes, end, durability }
    }

    fn failing(source: &mut Source<'_>) -> Self {
        let after = source.below(24);
        let failure = Failure::ALL[usize::from(source.below(4)) % Failure::ALL.len()];
        let op = match source.below(4) {
            0 if after.is_multiple_of(2) => Self::Checkpoint,
            0 => Self::Compact,
            1 => Self::transaction(source),
            _ => Self::Write(Write::take(source)),
        };
        Self::Failing { after, failure, op: Box::new(op) }
    }
}

impl Write {
    fn take(source: &mut Source<'_>) -> Self {
        let collection = collection(source);
        match source.below(16) {
            0..5 => Self::Insert { collection, id: maybe_id(source), size: size(source) },
            5..8 => {
                let count = source.below(12);
                let documents = (0..count).map(|_| (maybe_id(source), size(source))).collect();
                Self::InsertMany { collection, documents }
            }
            8..12 => Self::Replace { collection, id: id(source), size: size(source) },
            _ => Self::Delete { collection, id: id(source) },
        }
    }

    /// Returns the number of the collection that it changes.
    pub fn collection(&self) -> u8 {
        match *self {
            Self::Insert { collection, .. }
            | Self::InsertMany { collection, .. }
            | Self::Replace { collection, .. }
            | Self::Delete { collection, .. } => collection,
        }
    }
}

fn collection(source: &mut Source<'_>) -> u8 {
    source.below(COLLECTIONS)
}

fn id(source: &mut Source<'_>) -> u8 {
    source.below(IDS)
}

fn maybe_id(source: &mut Source<'_>) -> Option<u8> {
    (source.below(5) > 1).then(|| id(source))
}

/// Returns a size from nothing to several pages, often around one page or two.
fn size(source: &mut Source<'_>) -> u16 {
    match source.below(16) {
        0..8 => u16::from(source.byte()),
        8..12 => 300 + source.word() % 2_200,
        12 => 3_900 + source.word() % 300,
        13 => 8_000 + source.word() % 300,
        _ => 4_000 + source.word() % 26_000,
    }
}
