//! What is known of transactions that ran side by side.

use std::fmt;

/// A document that holds a list, to which values are appended.
pub(super) type Key = usize;

/// A value that is appended once, in the whole history.
pub(super) type Item = u64;

/// What a transaction did, in its order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Op {
    Read(Key, Vec<Item>),
    Append(Key, Item),
}

/// How it ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    Committed,
    /// Its closure returned an error. Nothing of it must ever be seen; what it read must be
    /// right, and others see that too, once it is over.
    GivenUp,
    /// Rolled back or refused. The same, but what it read may become visible later.
    Aborted,
}

/// A transaction, a single call, or a snapshot with what was read from it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Transaction {
    pub(super) ops: Vec<Op>,
    pub(super) outcome: Outcome,
    /// Readings of one clock for all threads: before it began, and after it had ended.
    /// For a snapshot, around its taking: it is to be as of a moment in between.
    pub(super) begun: u64,
    pub(super) ended: u64,
}

/// A run, and the lists that were there when all was over.
#[derive(Clone, Default, Debug)]
pub(super) struct History {
    pub(super) transactions: Vec<Transaction>,
    /// By key.
    pub(super) lists: Vec<Vec<Item>>,
}

impl History {
    pub(super) fn op_count(&self) -> usize {
        self.transactions.iter().map(|transaction| transaction.ops.len()).sum()
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, transaction) in self.transactions.iter().enumerate() {
            writeln!(f, "{at}: {transaction:?}")?;
        }
        self.lists
            .iter()
            .enumerate()
            .try_for_each(|(key, list)| writeln!(f, "list {key}: {list:?}"))
    }
}
